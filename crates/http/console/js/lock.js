// One page of this browser at a time. Browsers have locks where a page came over TLS or from localhost. Elsewhere a
// record in IndexedDB, whose transactions exclude each other, says whose turn it is, and whoever waits asks that page
// whether it is still there. To answer takes no timer, which pages in the background hardly have.

const LOOK_MS = 50
/** A page that answers none of so many questions, for so long, is gone. */
const ASKED = 3
const SILENT_MS = 3_000
const TURNS = 'turns'

const open = () => new Promise((resolve, reject) => {
  const request = indexedDB.open('outrigger', 1)
  request.onupgradeneeded = () => request.result.createObjectStore(TURNS)
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

/** Puts what follows from the turn that there is, null takes it away; what there is then. */
const change = (database, name, next) => new Promise((resolve, reject) => {
  const transaction = database.transaction(TURNS, 'readwrite')
  const turns = transaction.objectStore(TURNS)
  const found = turns.get(name)
  let turn
  found.onsuccess = () => {
    turn = next(found.result)
    if (turn === null) turns.delete(name)
    else if (turn !== found.result) turns.put(turn, name)
  }
  transaction.oncomplete = () => resolve(turn)
  transaction.onabort = () => reject(transaction.error)
})

/** Waits until it is this owner's turn, or that of a page that is gone. */
async function wait(database, channel, name, owner) {
  let holder
  let asked = 0
  let since = 0
  channel.onmessage = ({ data }) => {
    if (data.ask === owner) channel.postMessage({ here: owner })
    else if (data.here === holder) asked = 0
  }
  const isGone = () => asked >= ASKED && performance.now() - since > SILENT_MS
  const take = (held) => (held && !(held.owner === holder && isGone()) ? held : { owner })
  for (;;) {
    const turn = await change(database, name, take)
    if (turn.owner === owner) return
    if (turn.owner !== holder) asked = 0
    holder = turn.owner
    if (asked === 0) since = performance.now()
    asked += 1
    channel.postMessage({ ask: holder })
    await new Promise((resolve) => { setTimeout(resolve, LOOK_MS) })
  }
}

/** Begins a turn; what ends it. */
async function begin(name) {
  const owner = crypto.getRandomValues(new Uint32Array(4)).join()
  const database = await open()
  const channel = new BroadcastChannel(TURNS)
  const close = () => { channel.close(); database.close() }
  const give = (held) => (held?.owner === owner ? null : held)
  try {
    await wait(database, channel, name, owner)
  } catch (error) {
    close()
    throw error
  }
  // Should that fail, this page is one that does not answer.
  return () => change(database, name, give).catch(() => {}).finally(close)
}

async function inTurn(name, action) {
  // Private windows may have no IndexedDB: then there are no turns. Who has a single page open needs none.
  const end = await begin(name).catch(() => () => {})
  try {
    return await action()
  } finally {
    await end()
  }
}

/** Does it while no other page does what has this name. */
export const alone = (name, action) => (navigator.locks ? navigator.locks.request(name, action) : inTurn(name, action))
