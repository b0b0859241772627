(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const pictures = JSON.parse(document.getElementById('pictures').textContent);
  const get = (id) => document.getElementById(id), svg = 'http://www.w3.org/2000/svg';
  const stage = get('stage'), outline = get('outline'), handles = get('handles'), slider = get('at');
  const points = data.outlines.map((line) => line.map((point) => [...point]));
  const edited = new Set(), left = new Set();
  let now = 0, ed = null, es = null, editing = false, timer = null;

  get('viewer').hidden = false;

  const cursors = [...document.querySelectorAll('.curve svg')].map((chart) => {
    const line = chart.appendChild(document.createElementNS(svg, 'path'));
    line.setAttribute('class', 'cursor');
    const curve = chart.querySelector('polyline.l3').points;
    chart.addEventListener('click', (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse()).x;
      const first = curve[0].x, last = curve[curve.length - 1].x;
      const frame = Math.round((at - first) / Math.max(last - first, 1) * (data.total - 1));
      show(data.frames.reduce((best, f, i) => Math.abs(f - frame) < Math.abs(data.frames[best] - frame) ? i : best, 0));
    });
    return (frame) => {
      const { x, y } = curve[frame];
      line.setAttribute('d', `M${x} 20V190`);
    };
  });

  function draw() {
    const frame = data.frames[now];
    get('picture').setAttribute('href', pictures[now]);
    outline.setAttribute('points', points[now].map((point) => point.join(',')).join(' '));
    slider.value = now;
    const seconds = data.fps ? `, ${(frame / data.fps).toFixed(2)} s` : '';
    const phase = data.beats.some((b) => b[0] === frame) ? ', ED' : data.beats.some((b) => b[1] === frame) ? ', ES' : '';
    get('where').value = `frame ${frame} of ${data.total}${seconds}${phase}`;
    cursors.forEach((move) => move(frame));
    handles.replaceChildren();
    if (!editing) return;
    const size = Math.max(data.width, data.height) / 110;
    points[now].forEach(([x, y], i) => {
      if (i % 2) return;
      const dot = handles.appendChild(document.createElementNS(svg, 'circle'));
      dot.setAttribute('class', 'handle');
      dot.setAttribute('r', size);
      dot.setAttribute('cx', x);
      dot.setAttribute('cy', y);
      dot.addEventListener('pointerdown', (event) => drag(event, i));
    });
  }

  function show(index) {
    now = Math.min(pictures.length - 1, Math.max(0, index));
    draw();
  }

  function drag(event, handle) {
    event.preventDefault();
    const line = points[now], before = line.map((point) => [...point]), n = line.length;
    const move = (moved) => {
      const at = new DOMPoint(moved.clientX, moved.clientY).matrixTransform(stage.getScreenCTM().inverse());
      const dx = at.x - before[handle][0], dy = at.y - before[handle][1];
      line.forEach((point, i) => {
        const away = Math.min(Math.abs(i - handle), n - Math.abs(i - handle));
        const part = Math.exp(-away * away / 8);
        point[0] = Math.round(10 * Math.min(data.width - .5, Math.max(-.5, before[i][0] + part * dx))) / 10;
        point[1] = Math.round(10 * Math.min(data.height - .5, Math.max(-.5, before[i][1] + part * dy))) / 10;
      });
      edited.add(now);
      outline.setAttribute('points', line.map((point) => point.join(',')).join(' '));
      [...handles.children].forEach((dot, i) => {
        dot.setAttribute('cx', line[2 * i][0]);
        dot.setAttribute('cy', line[2 * i][1]);
      });
    };
    const end = () => {
      removeEventListener('pointermove', move);
      tell();
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end, { once: true });
  }

  function correction() {
    const made = { edgeecho_correction: 1, name: data.name, input_sha256: data.input_sha256, model_sha256: data.model_sha256 };
    if (ed !== null) made.ed = ed;
    if (es !== null) made.es = es;
    if (left.size) made.exclude_beats = [...left].sort((a, b) => a - b);
    if (get('accept').checked) made.accepted = true;
    if (edited.size) {
      made.outlines = Object.fromEntries([...edited].sort((a, b) => a - b).map((i) => [data.frames[i], points[i]]));
    }
    return made;
  }

  function tell() {
    const said = [];
    if (ed !== null) said.push(`ED at frame ${ed}`);
    if (es !== null) said.push(`ES at frame ${es}`);
    if (left.size) said.push(`beats left out: ${[...left].sort().join(', ')}`);
    if (edited.size) said.push(`outline moved in frames ${[...edited].map((i) => data.frames[i]).join(', ')}`);
    if (get('accept').checked) said.push('outlines accepted');
    const half = (ed === null) !== (es === null);
    get('save').disabled = !said.length || half;
    get('changes').textContent = said.length
      ? `${said.join('; ')}. ${half ? 'Set the other of ED and ES too.'
        : `Save the correction, then: edgeecho measure ${data.name}.json --apply ${data.name}.correction.json`}`
      : 'Nothing is corrected.';
  }

  function play() {
    if (timer) {
      clearInterval(timer);
      timer = null;
    } else {
      timer = setInterval(() => show((now + 1) % pictures.length), 1000 / Math.min(data.fps || 25, 60));
    }
    get('play').textContent = timer ? 'Pause' : 'Play';
  }

  function setPhase(phase) {
    if (phase === 'ed') ed = data.frames[now]; else es = data.frames[now];
    tell();
  }

  get('play').addEventListener('click', play);
  slider.addEventListener('input', () => show(Number(slider.value)));
  get('set-ed').addEventListener('click', () => setPhase('ed'));
  get('set-es').addEventListener('click', () => setPhase('es'));
  get('edit').addEventListener('click', () => {
    editing = !editing;
    get('edit').setAttribute('aria-pressed', editing);
    get('viewer').classList.toggle('editing', editing);
    draw();
  });
  get('undo').addEventListener('click', () => {
    points[now] = data.outlines[now].map((point) => [...point]);
    edited.delete(now);
    if (ed === data.frames[now]) ed = null;
    if (es === data.frames[now]) es = null;
    draw();
    tell();
  });
  document.querySelectorAll('.leave').forEach((box) => box.addEventListener('change', () => {
    const beat = Number(box.dataset.beat);
    if (box.checked) left.add(beat); else left.delete(beat);
    tell();
  }));
  get('accept').addEventListener('change', tell);
  get('save').addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([JSON.stringify(correction(), null, 1) + '\n'], { type: 'application/json' }));
    link.download = `${data.name}.correction.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  addEventListener('keydown', (event) => {
    if (event.target.matches('input[type=checkbox], button, a') && event.key === ' ') return;
    const keys = { ArrowLeft: () => show(now - 1), ArrowRight: () => show(now + 1), ' ': play, d: () => setPhase('ed'), s: () => setPhase('es') };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  show(data.shown ? data.frames.indexOf(data.shown[0]) : 0);
})();
