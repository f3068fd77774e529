import { drawCollapse } from './draw-collapse.ts'
import { COLLAPSE_SEED, PROTECTION, playCollapse } from './play-collapse.ts'

/** `node main.js` prints the chart of docs/guides/protection.md: `npm run chart:collapse` writes it. */
const guarded = await playCollapse({ seed: COLLAPSE_SEED, protect: PROTECTION })
const bare = await playCollapse({ seed: COLLAPSE_SEED, protect: undefined })
process.stdout.write(drawCollapse(guarded, bare))
