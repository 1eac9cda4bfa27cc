// @ts-check
/** Tells a page when something has changed, by server-sent events. */

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

/**
 * Follows the events named `changed` at an address, while the tab can be seen and the reader has not paused.
 *
 * @param {object} options
 * @param {string} options.url
 * @param {(what: string) => unknown} options.onChange Called with the event's `what`, and with "" when events may
 *   have been missed: then everything may have changed.
 * @param {(state: "live" | "paused" | "away") => unknown} [options.onState]
 * @returns {{pause: () => void, resume: () => void, isPaused: () => boolean}}
 */
export function follow({ url, onChange, onState = () => {} }) {
  /** @type {EventSource | null} */
  let source = null;
  let isPaused = false;
  let isFirst = true;
  let wait = FIRST_PAUSE;
  /** @type {number | undefined} */
  let timer;

  function close() {
    window.clearTimeout(timer);
    source?.close();
    source = null;
  }

  function open() {
    close();
    if (isPaused || document.hidden) return;
    const opened = new EventSource(url);
    source = opened;
    opened.onopen = () => {
      wait = FIRST_PAUSE;
      onState("live");
      if (!isFirst) onChange("");
      isFirst = false;
    };
    opened.addEventListener("changed", (event) => onChange(whatOf(event.data)));
    opened.onerror = () => {
      close();
      isFirst = false;
      onState("away");
      timer = window.setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_PAUSE);
    };
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  open();
  return {
    pause() {
      isPaused = true;
      close();
      onState("paused");
    },
    resume() {
      isPaused = false;
      open();
    },
    isPaused: () => isPaused,
  };
}

/** @param {string} data */
function whatOf(data) {
  try {
    return String(JSON.parse(data).what ?? "");
  } catch {
    return "";
  }
}
