/** `Ada Lovelace` is `AL`. */
const initialsOf = (name) =>
  name
    .split(/[\s@._-]+/)
    .filter((part) => part !== '')
    .slice(0, 2)
    .map((part) => [...part][0].toUpperCase())
    .join('')

const hueOf = (sub) => [...sub].reduce((sum, character) => sum + character.codePointAt(0) * 7, 0) % 360

/** The name to show for a user, whatever claims there are. */
export const nameOf = ({ name, email, sub }) => name || email || sub

/**
 * Shows initials in a colour of the user's own. The `picture` claim is not used: its address is another party's, which
 * would learn who looks at this page.
 */
export function showAvatar(element, user) {
  element.textContent = initialsOf(nameOf(user)) || '?'
  element.style.setProperty('--hue', String(hueOf(user.sub)))
}
