"""The pages in Chromium and Firefox: axe-core in every state, light and dark, at three widths; by keyboard."""
