// What the page shows, from top to bottom.
import './account.js'
import './sessions.js'
import './events.js'
import './phone-window.js'
import './hood/hood.js'
