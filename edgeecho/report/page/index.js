(() => {
  const filters = document.querySelector('.filters'), search = filters.querySelector('input');
  const rows = [...document.querySelectorAll('.cines tbody tr')], dialog = document.querySelector('dialog');
  const buttons = [...filters.querySelectorAll('button')], video = dialog.querySelector('video');
  let shown = '';
  filters.hidden = false;
  const update = () => rows.forEach((row) => {
    const text = row.textContent.toLowerCase();
    row.hidden = Boolean(shown && row.dataset.verdict !== shown) || !text.includes(search.value.toLowerCase());
    row.style.display = row.hidden ? 'none' : '';
  });
  buttons.forEach((button) => button.addEventListener('click', () => {
    shown = button.dataset.show;
    buttons.forEach((other) => other.setAttribute('aria-pressed', other === button));
    update();
  }));
  search.addEventListener('input', update);
  document.querySelectorAll('.open[data-video]').forEach((button) => button.addEventListener('click', () => {
    video.src = button.dataset.video;
    dialog.showModal();
    video.play().catch(() => {});
  }));
  document.getElementById('close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => video.removeAttribute('src'));
})();
