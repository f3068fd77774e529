/** How long the rescue may take for one batch. Dead queues that it reads hide their messages for longer. */
export const RESCUE_SECONDS = 300
