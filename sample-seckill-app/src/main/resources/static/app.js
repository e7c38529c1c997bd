// The page of the flash sale. No framework, no build step: it asks the sample's own HTTP
// interface and the actuator, and writes what they say into the document.

const $ = (id) => document.getElementById(id);

const number = new Intl.NumberFormat('en');

let run = null;        // the run that is followed
let points = [];       // [milliseconds, orders] of that run
let finished = [];     // results, newest first

// --- talking to the application ---------------------------------------------------------

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body ? { 'Content-Type': 'application/json', Accept: 'application/json' } : { Accept: 'application/json' },
    body: body ? JSON.stringify(body) : undefined,
  });
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) {
    throw Object.assign(new Error(answer?.detail ?? `${method} ${path} answered ${response.status}`), { status: response.status });
  }
  return answer;
}

function say(text, error = false) {
  $('message').textContent = text;
  $('message').classList.toggle('error', error);
}

function sale() {
  if (!$('form').reportValidity()) {
    return null;
  }
  return {
    productId: $('product').value,
    stock: Number($('stock').value),
    users: Number($('users').value),
    concurrency: Number($('concurrency').value),
    clicks: Number($('clicks').value),
    targets: $('targets').value.split(/[\s,]+/).filter(Boolean),
  };
}

async function setStock() {
  const { productId, stock } = sale() ?? {};
  if (productId === undefined) {
    return;
  }
  try {
    showProduct(await call('PUT', `api/products/${productId}`, { stock }));
    say(`A new sale has begun: ${number.format(stock)} items, no orders.`);
  } catch (error) {
    say(error.message, true);
  }
}

async function start(lock) {
  const wanted = sale();
  if (!wanted) {
    return;
  }
  busy(true);
  try {
    follow(await call('POST', 'api/runs', { ...wanted, lock }));
    say(lock ? 'Every order takes the lock first.' : 'Nothing keeps the buyers apart. Watch the orders pass the stock.');
  } catch (error) {
    busy(false);
    say(error.message, true);
  }
}

function follow(started) {
  run = started;
  points = [[0, 0]];
  busy(true);
  showRun(started);
  const events = new EventSource(`api/runs/${started.id}`);
  events.addEventListener('progress', (event) => showRun(JSON.parse(event.data)));
  events.addEventListener('result', (event) => {
    events.close();
    const result = JSON.parse(event.data);
    showRun(result);
    remember(result);
    busy(false);
  });
  events.onerror = () => {
    events.close();
    busy(false);
    say('The connection to this instance broke. Reload the page.', true);
  };
}

function busy(running) {
  for (const id of ['run-locked', 'run-unlocked', 'set-stock']) {
    $(id).disabled = running;
  }
  $('cancel').disabled = !running;
}

// --- showing ----------------------------------------------------------------------------

function figure(id, value, verdict) {
  $(id).textContent = value === undefined || value === null ? '–' : number.format(value);
  const box = $(id).closest('.figure');
  box.classList.toggle('bad', verdict === 'bad');
  box.classList.toggle('good', verdict === 'good');
}

function showProduct(product) {
  if (!product) {
    return;
  }
  figure('stock-left', product.stock);
  figure('orders', product.orders);
  figure('oversold', product.oversold, product.oversold > 0 ? 'bad' : product.orders > 0 ? 'good' : '');
  figure('twice', product.buyersTwice, product.buyersTwice > 0 ? 'bad' : product.orders > 0 ? 'good' : '');
  $('stock-note').textContent = `of ${number.format(product.initialStock)}`;
  $('orders-note').textContent = product.orders > product.initialStock
    ? `for ${number.format(product.initialStock)} items` : ' ';
  $('oversold-note').textContent = product.oversold > 0 ? 'sold, but never there' : 'orders beyond the stock';
}

const milliseconds = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(1)} ms`);

function showRun(view) {
  run = view;
  const { request, outcomes } = view;
  const total = request.users * request.clicks;
  const share = (count) => `${(100 * count) / total}%`;
  $('run-title').textContent = `${view.id}, ${request.lock ? 'with the lock' : 'without the lock'}: `
    + `${number.format(view.done)} of ${number.format(total)} requests`;
  $('bar-ordered').style.width = share(outcomes.ORDERED);
  $('bar-refused').style.width = share(outcomes.SOLD_OUT + outcomes.BOUGHT_ALREADY);
  $('bar-failed').style.width = share(outcomes.BUSY + outcomes.SHED + outcomes.STALE + outcomes.FAILED);
  for (const [outcome, count] of Object.entries(outcomes)) {
    $(`n-${outcome.toLowerCase().replace('_', '-')}`).textContent = number.format(count);
  }
  $('rate').textContent = number.format(Math.round(view.perSecond));
  $('p50').textContent = milliseconds(view.latencyMillis.p50);
  $('p99').textContent = milliseconds(view.latencyMillis.p99);
  $('max').textContent = milliseconds(view.latencyMillis.max);
  $('elapsed').textContent = `${(view.elapsedMillis / 1000).toFixed(1)} s`;
  $('state').textContent = { RUNNING: 'running', DONE: 'done', CANCELLED: 'stopped', FAILED: 'failed' }[view.state];
  $('state').className = `state ${view.state === 'RUNNING' ? 'running' : view.state === 'FAILED' ? 'bad' : ''}`;
  $('failure').hidden = !view.failure;
  $('failure').textContent = view.failure ?? '';
  showProduct(view.product);
  if (view.product) {
    points.push([view.elapsedMillis, view.product.orders]);
    draw(view.product.initialStock);
  }
}

// Orders over time, and a line where the items end.
function draw(items) {
  const width = 600;
  const height = 120;
  const time = Math.max(...points.map((point) => point[0]), 1);
  const top = 1.15 * Math.max(...points.map((point) => point[1]), items, 1);
  const x = (value) => ((width * value) / time).toFixed(1);
  const y = (value) => (height - (height * value) / top).toFixed(1);
  const line = points.map((point, index) => `${index ? 'L' : 'M'}${x(point[0])} ${y(point[1])}`).join('');
  const over = points.at(-1)[1] > items;
  $('chart').innerHTML = `<path class="area ${over ? 'over' : ''}" d="${line}L${width} ${height}L0 ${height}Z"/>`
    + `<path class="${over ? 'over' : ''}" d="${line}"/>`
    + `<line x1="0" x2="${width}" y1="${y(items)}" y2="${y(items)}"/>`;
}

function remember(result) {
  finished = [result, ...finished.filter((other) => other.id !== result.id)].slice(0, 8);
  showHistory();
}

function showHistory() {
  if (!finished.length) {
    return;
  }
  $('history').replaceChildren(...finished.map((view) => {
    const row = document.createElement('tr');
    const { orders, oversold, buyersTwice: twice } = view.product ?? { orders: view.outcomes.ORDERED, oversold: 0, buyersTwice: 0 };
    const cells = [
      [view.id], [view.request.lock ? 'with' : 'without'], [number.format(view.request.stock)],
      [number.format(orders)], [number.format(oversold), oversold > 0 ? 'bad' : 'good'],
      [number.format(twice), twice > 0 ? 'bad' : 'good'], [number.format(Math.round(view.perSecond))],
      [milliseconds(view.latencyMillis.p50)], [milliseconds(view.latencyMillis.p99)],
    ];
    for (const [text, kind] of cells) {
      const cell = document.createElement('td');
      cell.textContent = text;
      cell.className = kind ?? '';
      row.append(cell);
    }
    return row;
  }));
}

// The actuator writes durations as ISO 8601 (PT1.5S) or as seconds.
function seconds(duration) {
  if (typeof duration === 'number') {
    return duration;
  }
  const match = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$/.exec(duration ?? '');
  return match ? Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0) : 0;
}

const inSeconds = (duration) => milliseconds(seconds(duration) * 1000);

async function showLock() {
  const product = $('product').value;
  const isThisLock = (lock) => lock.name === 'stock' && lock.key.length === 1 && lock.key[0] === product;
  $('lock-name').textContent = `stock:${product}`;
  try {
    const [here, lock] = await Promise.all([
      call('GET', 'actuator/locks'),
      call('GET', `actuator/locks/stock/${encodeURIComponent(product)}`).catch((error) => {
        if (error.status === 404) {
          return null;
        }
        throw error;
      }),
    ]);
    $('instance').textContent = `${here.instance} at ${location.host}`;
    showStored(lock?.stored);
    const held = here.held.find(isThisLock);
    if (held) {
      $('store-state').textContent = 'held';
      $('holder').textContent = `${here.instance}, here`;
      $('token').textContent = held.token;
    }
    $('thread').textContent = held?.owner ?? '–';
    $('held-for').textContent = held ? inSeconds(held.held) : '–';
    const waiting = here.waiting.find(isThisLock);
    $('waiters').textContent = number.format(waiting?.waiters ?? 0);
    $('longest-wait').textContent = waiting ? inSeconds(waiting.longestWait) : '–';
    const statistics = here.statistics.find((entry) => entry.name === 'stock');
    $('acquired').textContent = number.format(statistics?.acquired ?? 0);
    $('handoffs').textContent = number.format(statistics?.localHandoffs ?? 0);
    $('refused').textContent = number.format(statistics?.refused ?? 0)
      + (statistics?.shed ? `, ${number.format(statistics.shed)} at once` : '');
    $('lost').textContent = number.format(statistics?.lost ?? 0);
  } catch (error) {
    $('store-state').textContent = 'no answer';
  }
}

function showStored(stored) {
  const states = { HELD: 'held', RESERVED: 'kept for the next in line', COOLING: 'kept for its minimum time', FREE: 'free' };
  $('store-state').textContent = stored ? states[stored.state] ?? stored.state : 'free';
  $('holder').textContent = stored?.holder ?? 'nobody';
  $('token').textContent = stored?.lastToken ? `up to ${stored.lastToken}` : '–';
  $('queue').textContent = stored?.queue?.length ? stored.queue.map((entry) => entry.instance).join(', ') : 'none';
}

async function refreshProduct() {
  if (run?.state === 'RUNNING') {
    return;
  }
  try {
    showProduct(await call('GET', `api/products/${$('product').value}`));
  } catch (error) {
    if (error.status !== 404) {
      say(error.message, true);
    }
  }
}

async function repeat(task, pause) {
  for (;;) {
    if (!document.hidden) {
      await task();
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function begin() {
  $('set-stock').addEventListener('click', setStock);
  $('run-locked').addEventListener('click', () => start(true));
  $('run-unlocked').addEventListener('click', () => start(false));
  $('cancel').addEventListener('click', () => run && call('DELETE', `api/runs/${run.id}`).catch((error) => say(error.message, true)));
  $('form').addEventListener('submit', (event) => event.preventDefault());
  try {
    const known = await call('GET', 'api/runs');
    finished = known.filter((view) => view.state !== 'RUNNING').slice(0, 8);
    showHistory();
    const running = known.find((view) => view.state === 'RUNNING');
    if (running) {
      follow(running);
    }
  } catch (error) {
    say(error.message, true);
  }
  repeat(showLock, 400);
  repeat(refreshProduct, 1500);
}

begin();
