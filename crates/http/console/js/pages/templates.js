// Messages as users would see them.

import { get, post } from '../api.js'
import { h, replace } from '../dom.js'
import { code, fault, field, head, later, loading, panel, select } from '../parts.js'

const LANGUAGES = { en: 'English', id: 'Indonesian', ms: 'Malay', th: 'Thai', vi: 'Vietnamese', tl: 'Tagalog', zh: 'Chinese' }

const letter = (seen) => [
  panel('Text', {},
    h('article', { class: 'letter', lang: seen.language }, h('p', { class: 'letter-subject' }, seen.subject), h('p', { class: 'letter-text' }, seen.text))),
  panel('HTML', { note: 'The other part of the same mail.' }, code(seen.html, 'HTML part')),
]

function show(known, { signal }) {
  const message = field('Message', select(known.messages, known.messages[0]))
  const language = field('Language', select(known.languages.map((tag) => [tag, LANGUAGES[tag] ?? tag]), 'en'))
  const name = field('Name of the reader', h('input', { type: 'text', value: 'Ada', maxlength: 200 }))
  const zone = field('Time zone', h('input', { type: 'text', value: Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC', maxlength: 64 }))
  const place = h('div', { 'aria-live': 'polite' }, loading())
  const look = async () => {
    const body = { message: message.control.value, locale: language.control.value, name: name.control.value || null, time_zone: zone.control.value || null }
    try {
      replace(place, letter(await post('/api/v1/notifications/preview', body, { signal })))
    } catch (error) {
      if (error.name !== 'AbortError') replace(place, fault(error, look))
    }
  }
  for (const one of [message, language, name, zone]) one.control.addEventListener('change', look)
  look()
  return [h('div', { class: 'filters' }, message, language, name, zone), place]
}

export function templates(page) {
  return [
    head('Messages', { note: 'What users are sent, in their language and time zone, with sample values. Nothing is sent from here.' }),
    later(() => get('/api/v1/notifications/messages', { signal: page.signal }), (known) => show(known, page), { signal: page.signal }),
  ]
}
