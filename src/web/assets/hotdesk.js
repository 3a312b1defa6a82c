// Hotdesk: what the pages do besides links and forms. Everything here has a form that works without it.
// No library, no eval, no inline handlers: CSP script-src 'self'.
(() => {
  'use strict';
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Light, dark, or as the system has it.
  const root = document.documentElement;
  const theme = localStorage.getItem('theme');
  if (theme) root.dataset.theme = theme;
  all('[data-theme-toggle]').forEach(button => button.addEventListener('click', () => {
    const dark = (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
    root.dataset.theme = dark ? 'light' : 'dark';
    localStorage.setItem('theme', root.dataset.theme);
  }));

  // "/" finds; a letter typed into a field stays a letter.
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.target.closest('input, textarea, select, [contenteditable]')) return;
    const find = $('.find input');
    if (find) { event.preventDefault(); find.focus(); }
  });

  // A choice that needs no button.
  all('[data-submits]').forEach(field => {
    const button = $('button', field.form);
    if (button) button.hidden = true;
    field.addEventListener('change', () => field.form.submit());
  });

  // What is undone, is undone soon.
  all('[data-undo]').forEach(form => setTimeout(() => { form.hidden = true; }, 10000));

  // A page whose rows change by themselves. The browser sends where it was when it connects again.
  const table = $('table[data-live]');
  if (!table || !window.EventSource) return;
  const rows = $('tbody', table);
  const sign = $('#live');
  const QUIET = 20000;
  let heard = 0;
  let live = null;

  const parsed = html => {
    const template = document.createElement('template');
    template.innerHTML = html;
    return template.content;
  };
  const mark = text => {
    const on = text === 'Live';
    if (sign.textContent !== text) sign.textContent = text;
    sign.classList.toggle('off', !on);
    sign.classList.toggle('on', on);
    // Old rows offer nothing: what they show may not be so any more.
    table.classList.toggle('old', !on);
    all('.act button', rows).forEach(button => { button.disabled = !on; });
  };
  // Replaces an element, and leaves the focus where it was.
  const replace = (was, is) => {
    const within = was.contains(document.activeElement);
    const at = within ? all('a, button, input, select', was).indexOf(document.activeElement) : -1;
    was.replaceWith(is);
    if (at >= 0) all('a, button, input, select', is)[at]?.focus();
  };
  const put = row => {
    const was = document.getElementById(row.id);
    if (was) return replace(was, row);
    const next = [...rows.children].find(other => other.dataset.key > row.dataset.key);
    if (next) next.before(row);
    else if (table.dataset.more === undefined) rows.append(row);
  };
  const none = () => {
    const empty = $('#none');
    if (empty) empty.hidden = rows.children.length > 0;
  };
  const on = (name, act) => live.addEventListener(name, event => {
    heard = Date.now();
    if (event.lastEventId) table.dataset.at = event.lastEventId;
    if (event.data) act(event.data);
    mark('Live');
    none();
  });

  const connect = () => {
    live?.close();
    const url = new URL(table.dataset.live, location.href);
    url.searchParams.set('at', table.dataset.at);
    live = new EventSource(url);
    heard = Date.now();
    on('beat', () => {});
    on('row', html => put(parsed(html).firstElementChild));
    on('rows', html => rows.replaceChildren(...parsed(html).children));
    on('gone', id => document.getElementById(id)?.remove());
    on('part', html => {
      const is = parsed(html).firstElementChild;
      const was = document.getElementById(is.id);
      if (was) replace(was, is);
    });
    live.addEventListener('signed-out', () => { live.close(); clearInterval(watch); mark('Signed out'); });
    live.addEventListener('error', () => mark('Not live: connecting'));
  };
  const watch = setInterval(() => {
    if (Date.now() - heard > QUIET) mark('Not live: connecting');
    // A browser gives up for ever after some answers.
    if (live.readyState === EventSource.CLOSED) connect();
  }, 5000);
  addEventListener('pagehide', () => live.close());
  addEventListener('pageshow', event => { if (event.persisted) connect(); });
  connect();
})();
