(() => {
  const get = (id) => document.getElementById(id), token = new URLSearchParams(location.search).get('token');
  const SECONDS = 8, history = [];
  let socket = null, state = null, retry = 500, choosing = null, since = 0;

  function connect() {
    socket = new WebSocket(`ws://${location.host}/live?token=${encodeURIComponent(token)}`);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (event) => { retry = 500; receive(event.data); };
    socket.onclose = (event) => {
      get('veil').textContent = event.reason || 'no connection to edgeecho live';
      if (event.code !== 1008 && event.code !== 1013) setTimeout(connect, retry = Math.min(retry * 2, 8000));
    };
  }

  function receive(message) {
    const length = new DataView(message).getUint32(0, true);
    const next = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length)));
    if (state && next.frame < state.frame) history.length = 0;
    state = next;
    if (state.said) get('said').textContent = state.said;
    if (message.byteLength > 4 + length) {
      createImageBitmap(new Blob([new Uint8Array(message, 4 + length)], { type: 'image/jpeg' })).then(draw);
    } else {
      write();
    }
  }

  function draw(bitmap) {
    const canvas = get('picture');
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    bitmap.close();
    get('stage').setAttribute('viewBox', `0 0 ${state.width} ${state.height}`);
    get('outline').setAttribute('points', state.outline.map((point) => point.join(',')).join(' '));
    const [x, y, width, height] = state.roi;
    for (const [name, value] of Object.entries({ x, y, width, height })) get('region').setAttribute(name, value);
    write();
  }

  const ms = (value) => value === null ? 'unknown' : `${value.toFixed(1)} ms`;

  function write() {
    const { status, message, budget, beats } = state;
    get('veil').textContent = status === 'live' && state.view_fixed ? message
      : status === 'live' ? 'region and orientation are searched'
        : message || { waiting: 'waiting for the first frame', frozen: 'frozen' }[status] || status;
    get('freeze').setAttribute('aria-pressed', status === 'frozen');
    get('freeze').textContent = status === 'frozen' ? 'Go on' : 'Freeze';
    get('mirror').setAttribute('aria-pressed', state.flip === 'lr');
    const interval = state.ef_interval;
    get('ef').textContent = state.ef_percent === null ? (beats.length ? 'EF withheld' : 'no EF yet') : `EF ${state.ef_percent.toFixed(0)}%`;
    if (interval) get('ef').append(Object.assign(document.createElement('small'), { textContent: ` ${interval[0].toFixed(0)} to ${interval[1].toFixed(0)}` }));
    get('verdict').textContent = state.verdict;
    get('verdict').className = `verdict ${state.verdict}`;
    get('rate').textContent = state.heart_rate_bpm === null ? '' : `${state.heart_rate_bpm.toFixed(0)} beats a minute`;
    get('reasons').replaceChildren(...state.reasons.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
    get('beats').replaceChildren(...beats.slice(-6).reverse().map((beat) => {
      const row = document.createElement('tr');
      if (!beat.is_used) row.className = 'out';
      const rate = beat.heart_rate_bpm === null ? '-' : beat.heart_rate_bpm.toFixed(0);
      [beat.ed_frame, beat.es_frame, beat.ef_percent.toFixed(0), rate].forEach((text) => {
        row.insertCell().textContent = text;
        row.lastChild.className = 'n';
      });
      row.insertCell().textContent = beat.is_used ? 'used' : `left out: ${beat.reasons.join(', ').replaceAll('_', ' ')}`;
      return row;
    }));
    get('network').textContent = ms(budget.network);
    get('whole').textContent = ms(budget.whole);
    get('latest').textContent = ms(budget.latest);
    get('frame').textContent = ms(budget.frame);
    get('fps').textContent = state.fps.toFixed(0);
    get('dropped').textContent = state.dropped;
    if (status === 'live' && state.frame >= 0) history.push([state.time_s, state.area_px]);
    while (history.length && state.time_s - history[0][0] > SECONDS) history.shift();
    plot();
  }

  function plot() {
    const canvas = get('curve'), context = canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = style.getPropertyValue('--grid');
    context.strokeRect(.5, .5, canvas.width - 1, canvas.height - 1);
    if (history.length < 2) return;
    const areas = history.map((point) => point[1]), low = Math.min(...areas), high = Math.max(...areas, low + 1);
    const end = Math.max(history[history.length - 1][0], SECONDS);
    const place = ([time, area]) => [(time - end + SECONDS) / SECONDS * canvas.width, canvas.height - 14 - (area - low) / (high - low) * (canvas.height - 28)];
    context.strokeStyle = style.getPropertyValue('--s3');
    context.lineWidth = 2;
    context.beginPath();
    history.forEach((point) => context.lineTo(...place(point)));
    context.stroke();
    context.fillStyle = style.getPropertyValue('--soft');
    context.font = '12px system-ui, sans-serif';
    context.fillText(`${high.toFixed(0)} px`, 6, 13);
    context.fillText(`${low.toFixed(0)} px`, 6, canvas.height - 4);
  }

  const order = (values) => { if (socket && socket.readyState === 1) socket.send(JSON.stringify(values)); };
  get('freeze').addEventListener('click', () => order({ do: state && state.status === 'frozen' ? 'go' : 'freeze' }));
  get('reset').addEventListener('click', () => order({ do: 'reset' }));
  get('new').addEventListener('click', () => order({ do: 'new_patient' }));
  get('save').addEventListener('click', () => { get('said').textContent = 'saving'; order({ do: 'save' }); });
  get('search').addEventListener('click', () => order({ do: 'view' }));
  get('mirror').addEventListener('click', () => {
    order({ do: 'view', roi: state && state.view_fixed ? state.roi : null, flip: state && state.flip === 'lr' ? 'none' : 'lr' });
  });
  get('box').addEventListener('click', () => choose(get('box').getAttribute('aria-pressed') !== 'true'));

  function choose(is_on) {
    get('box').setAttribute('aria-pressed', is_on);
    get('scene').classList.toggle('choosing', is_on);
    if (is_on) get('said').textContent = 'draw a box around the heart';
  }

  const at = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(get('stage').getScreenCTM().inverse());
  get('scene').addEventListener('pointerdown', (event) => {
    if (!get('scene').classList.contains('choosing')) return;
    choosing = at(event);
    get('scene').setPointerCapture(event.pointerId);
  });
  get('scene').addEventListener('pointermove', (event) => {
    if (!choosing) return;
    const to = at(event), drawn = get('drawn');
    drawn.setAttribute('x', Math.min(choosing.x, to.x));
    drawn.setAttribute('y', Math.min(choosing.y, to.y));
    drawn.setAttribute('width', Math.abs(to.x - choosing.x));
    drawn.setAttribute('height', Math.abs(to.y - choosing.y));
  });
  get('scene').addEventListener('pointerup', () => {
    if (!choosing) return;
    choosing = null;
    const box = ['x', 'y', 'width', 'height'].map((name) => Math.round(Number(get('drawn').getAttribute(name))));
    ['x', 'y', 'width', 'height'].forEach((name) => get('drawn').removeAttribute(name));
    choose(false);
    if (box[2] >= 16 && box[3] >= 16) order({ do: 'view', roi: box, flip: state && state.view_fixed ? state.flip : null });
  });
  connect();
})();
