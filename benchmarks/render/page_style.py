"""Looks and behaviour of the page: its CSS, and the few lines of JavaScript that sort its table."""

from edgeecho.benchmarks.render import svg

STYLE = (
    svg.COLOURS
    + svg.STYLE
    + """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--surface);color:var(--ink);
  font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
main{max-width:940px;margin:0 auto;padding:40px 30px 60px}
h1{font-size:1.75rem;line-height:1.2;letter-spacing:-.015em;margin:0 0 .3rem}
h2{font-size:1.15rem;line-height:1.3;margin:0 0 .35rem}
section{margin-top:2.75rem}
p{margin:.4rem 0;max-width:46rem}
.about,figcaption,section>p,footer{color:var(--soft);font-size:.9rem}
.summary{font-size:1.15rem;line-height:1.5;margin-top:1.4rem}
.warning{border-left:4px solid var(--s4);padding:.3rem .8rem;margin:1.2rem 0 0}
figure{margin:0}
figcaption{max-width:46rem;margin-bottom:.9rem}
svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
.scroll{overflow-x:auto;border-top:1px solid var(--axis);border-bottom:1px solid var(--axis);margin-top:.8rem}
.rows{margin-inline:calc(50% - min(48vw,620px))}
.scroll:focus-visible,th:focus-visible{outline:2px solid var(--s1);outline-offset:2px}
table{border-collapse:collapse;font-size:.82rem;line-height:1.4;white-space:nowrap;width:100%}
th,td{padding:.3rem .55rem;text-align:left;font-weight:400;border-bottom:1px solid var(--grid)}
tbody tr:last-child>*{border-bottom:0}
tbody tr:hover>*{background:var(--grid)}
thead th{font-weight:600;vertical-align:bottom;white-space:normal;min-width:3.6em}
.n{text-align:right;font-variant-numeric:tabular-nums}
tbody th{font-weight:600;position:sticky;left:0;background:var(--surface)}
.failed,.failed th{color:var(--bad)}
.sortable thead th[tabindex]{cursor:pointer}
th[aria-sort=ascending]::after{content:' \\2191'}
th[aria-sort=descending]::after{content:' \\2193'}
.pairs{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.25rem 1.2rem;margin:.6rem 0 0;font-size:.88rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:3rem;border-top:1px solid var(--axis);padding-top:.8rem}
@media(max-width:760px){
  main{padding:24px 16px 40px}
  .summary{font-size:1.05rem}
  .rows{margin-inline:-16px;padding-left:8px}
  .wide{display:none}.narrow{display:block}
  .narrow svg{width:100%;max-width:440px}
  .pairs{grid-template-columns:1fr;gap:0}
  dd{margin-bottom:.5rem}
  tbody th{max-width:11rem;overflow:hidden;text-overflow:ellipsis}
}
@media print{.scroll{overflow:visible}table{font-size:.6rem}section{break-inside:avoid}}
"""
)

SCRIPT = """
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
"""
