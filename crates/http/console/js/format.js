// Numbers, times and sizes for people.

import { h } from './dom.js'

const two = (number) => String(number).padStart(2, '0')

/** 2026-01-31 12:00:00 in the time zone of the reader. */
export function instant(text) {
  const at = new Date(text)
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${date} ${clock(text)}`
}

/** 12:00:00 in the time zone of the reader. */
export function clock(text) {
  const at = new Date(text)
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

const UNITS = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]]

/** 3 min, 2 h 5 min. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds))
  const at = UNITS.findIndex(([, size]) => whole >= size)
  if (at < 0) return '0 s'
  const [unit, size] = UNITS[at]
  const count = Math.floor(whole / size)
  const next = UNITS[at + 1]
  const rest = next && unit !== 'min' ? Math.floor((whole % size) / next[1]) : 0
  return rest ? `${count} ${unit} ${rest} ${next[0]}` : `${count} ${unit}`
}

/** How long ago, or in how long. */
export function relative(text, now = Date.now()) {
  const seconds = (new Date(text).getTime() - now) / 1000
  if (Math.abs(seconds) < 1) return 'now'
  return seconds < 0 ? `${duration(-seconds)} ago` : `in ${duration(seconds)}`
}

/** A moment, with the exact time behind it. */
export function time(text) {
  if (!text) return h('span', { class: 'none' }, '–')
  return h('time', { datetime: text, title: instant(text) }, relative(text))
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** 12.3 MiB. */
export function bytes(count) {
  let size = count
  let unit = 0
  while (size >= 1024 && unit < BYTES.length - 1) {
    size /= 1024
    unit += 1
  }
  return `${unit && size < 100 ? size.toFixed(1) : Math.round(size)} ${BYTES[unit]}`
}

/** 1,234 or 0.25: three digits that matter. */
export function number(value) {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en')
  return value.toLocaleString('en', { maximumFractionDigits: size < 1 ? 2 : size < 10 ? 2 : 1 })
}

/** 12.5 %. */
export const percent = (share) => {
  if (share === null || share === undefined) return '–'
  const value = share * 100
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`
}

/** 3.2 ms, 1.4 s. */
export const millis = (ms) => {
  if (ms === null || ms === undefined) return '–'
  return ms >= 1000 ? `${number(ms / 1000)} s` : `${number(ms)} ms`
}

/** JSON as it is shown and edited. */
export const json = (value) => JSON.stringify(value, null, 2)

const STRINGS_AND_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g

function isRounded(token) {
  if (token.startsWith('"')) return false
  const held = Number(token)
  return !Number.isFinite(held) || (/^-?\d+$/.test(token) && BigInt(token) !== BigInt(held))
}

/** The first number of a JSON text that is another one once JavaScript holds it. */
export const rounded = (text) => text.match(STRINGS_AND_NUMBERS)?.find(isRounded)

/** A text as it is; throws when it holds a number that would be rounded. */
export function exact(text) {
  const number = rounded(text)
  if (number) throw new Error(`the browser cannot hold ${number} exactly: write it through the API`)
  return text
}

/** What a JSON text stands for; throws when it is none, or when numbers would be rounded. */
export function parsed(text) {
  exact(text)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`not JSON: ${error.message}`)
  }
}

/** A value of a record in a cell. */
export function brief(value, most = 80) {
  if (value === null || value === undefined) return '–'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
