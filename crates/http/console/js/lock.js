// One page of this browser at a time. Browsers have locks where a page came over TLS or from localhost. Elsewhere a
// record in IndexedDB, whose transactions exclude each other, says whose turn it is, and until when.

/** Whoever ended in their turn, without saying so, has it no longer than this. */
const TURN_MS = 60_000
const LOOK_MS = 50
const TURNS = 'turns'

const open = () => new Promise((resolve, reject) => {
  const request = indexedDB.open('outrigger', 1)
  request.onupgradeneeded = () => request.result.createObjectStore(TURNS)
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

/** Puts what follows from the turn that there is; null takes it away, undefined leaves it. */
const change = (database, name, next) => new Promise((resolve, reject) => {
  const transaction = database.transaction(TURNS, 'readwrite')
  const turns = transaction.objectStore(TURNS)
  const found = turns.get(name)
  let turn
  found.onsuccess = () => {
    turn = next(found.result)
    if (turn) turns.put(turn, name)
    else if (turn === null) turns.delete(name)
  }
  transaction.oncomplete = () => resolve(turn)
  transaction.onabort = () => reject(transaction.error)
})

async function inTurn(name, action) {
  const database = await open()
  const owner = crypto.getRandomValues(new Uint32Array(4)).join()
  const take = (held) => (held && held.until > Date.now() ? undefined : { owner, until: Date.now() + TURN_MS })
  const give = (held) => (held?.owner === owner ? null : undefined)
  try {
    while (!(await change(database, name, take))) await new Promise((resolve) => { setTimeout(resolve, LOOK_MS) })
    try {
      return await action()
    } finally {
      await change(database, name, give)
    }
  } finally {
    database.close()
  }
}

/** Does it while no other page does what has this name. */
export const alone = (name, action) => (navigator.locks ? navigator.locks.request(name, action) : inTurn(name, action))
