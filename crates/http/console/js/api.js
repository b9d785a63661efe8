// The API, as every client uses it. The session is in cookies that this script cannot read; what it
// holds is only the token that proves that a request comes from this page, in memory.

import { alone } from './lock.js'

/** What went wrong, in the words of the server. */
export class ApiError extends Error {
  constructor(status, problem, requestId) {
    super(problem.detail || problem.title || `the server answered ${status}`)
    this.status = status
    this.code = problem.code ?? ''
    this.errors = problem.errors ?? []
    this.requestId = problem.request_id ?? requestId ?? ''
  }
}

let csrf = ''
let whenSignedOut = () => {}

/** What happens when the session has ended. */
export const onSignedOut = (action) => { whenSignedOut = action }

async function send(method, path, { body, headers = {}, signal } = {}) {
  const init = { method, signal, headers: { Accept: 'application/json', ...headers }, cache: 'no-store' }
  if (csrf) init.headers['X-CSRF-Token'] = csrf
  if (body !== undefined) {
    init.headers['Content-Type'] ??= 'application/json'
    init.body = typeof body === 'string' ? body : JSON.stringify(body)
  }
  let response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new ApiError(0, { detail: 'the server cannot be reached', code: 'unreachable' })
  }
  return response
}

async function read(response) {
  const requestId = response.headers.get('x-request-id')
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  const text = isJson ? await response.text() : ''
  const data = isJson ? JSON.parse(text) : undefined
  if (!response.ok) throw new ApiError(response.status, data ?? {}, requestId)
  return { data, text, headers: response.headers, status: response.status }
}

const session = async (method, path, body) => {
  const { data } = await read(await send(method, path, { body }))
  csrf = data?.csrf_token ?? ''
  return data?.user ?? null
}

/** Signs in; the user. */
export const signIn = (email, password) => session('POST', '/console/session', { email, password })

/** Ends the session. */
export async function signOut() {
  try {
    await read(await send('POST', '/console/session/end'))
  } finally {
    csrf = ''
    whenSignedOut()
  }
}

/** Who is signed in, if somebody is; a session that is merely old is renewed. */
export async function whoAmI() {
  try {
    return await renew()
  } catch (error) {
    if (error.status === 401 || error.status === 403) return null
    throw error
  }
}

let renewing = null

/**
 * One page renews at a time, once for all that wait in it, and the others find that it is done: a refresh
 * token is good for one use.
 */
function renew() {
  const once = async () => (await session('GET', '/console/session')) ?? session('POST', '/console/session/renew')
  renewing ??= alone('outrigger-renew', once).finally(() => { renewing = null })
  return renewing
}

/** Calls an operation: its answer with its text, headers and status. */
export async function call(method, path, options = {}) {
  let response = await send(method, path, options)
  if (response.status === 401 || response.status === 403) {
    const problem = await response.clone().json().catch(() => ({}))
    if (response.status === 401 || problem.code === 'wrong_csrf_token') {
      try {
        await renew()
      } catch (error) {
        if (error.status === 401 || error.status === 403) whenSignedOut()
        throw error
      }
      response = await send(method, path, options)
      if (response.status === 401) whenSignedOut()
    }
  }
  return read(response)
}

const data = (method) => async (path, body, options) => (await call(method, path, { ...options, body })).data

/** The body of the answer. */
export const get = async (path, options) => (await call('GET', path, options)).data
export const post = data('POST')
export const put = data('PUT')
export const patch = data('PATCH')
export const remove = (path, options) => call('DELETE', path, options)

/** A path with its parts and query escaped. */
export function path(parts, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const text = new URLSearchParams(pairs).toString()
  const base = `/api/v1/${parts.map(encodeURIComponent).join('/')}`
  return text ? `${base}?${text}` : base
}

/** What health says, also when it says that something is down. */
export async function health(signal) {
  try {
    const response = await fetch('/api/health/', { signal, cache: 'no-store' })
    return await response.json()
  } catch (error) {
    if (error.name === 'AbortError') throw error
    return { status: 'unreachable', checks: {} }
  }
}
