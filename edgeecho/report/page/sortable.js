for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const sort = (i) => {
    const up = heads[i].getAttribute('aria-sort') !== 'ascending';
    heads.forEach((head, j) => j === i
      ? head.setAttribute('aria-sort', up ? 'ascending' : 'descending') : head.removeAttribute('aria-sort'));
    const key = (row) => row.cells[i].dataset.v, text = (row) => row.cells[i].textContent;
    const empty = (row) => key(row) === undefined && ['-', 'failed'].includes(text(row));
    const order = (a, b) => empty(a) - empty(b) || (up ? 1 : -1) * (
      key(a) !== undefined && key(b) !== undefined ? key(a) - key(b) : text(a).localeCompare(text(b)));
    body.append(...[...body.rows].sort(order));
  };
  heads.forEach((head, i) => {
    head.tabIndex = 0;
    head.addEventListener('click', () => sort(i));
    head.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); sort(i); }
    });
  });
}
