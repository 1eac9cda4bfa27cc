"""What the pages look like: tokens, base styles, small modules of JavaScript, and the frame of every page."""
