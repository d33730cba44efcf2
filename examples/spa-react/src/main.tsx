import './style.css'
import { configure } from 'oten-bff-client'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'

// Only where oten-bff has another origin than this page.
if (import.meta.env.VITE_BFF_URL) configure({ url: import.meta.env.VITE_BFF_URL })

const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
