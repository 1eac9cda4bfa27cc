// @ts-check
/** Asks the workbench's server. Whatever goes wrong becomes a `Refusal` with a sentence for the reader. */

export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 where the server did not answer.
   * @param {any} [answer]
   */
  constructor(message, status, answer) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

const KEPT = "sfmap token";

/**
 * The token of the address that `sfmap dev` printed. It goes out of the address bar, and stays for other tabs of this
 * browser: the page of `sfmap serve` links here without it.
 */
function takeToken() {
  const given = new URLSearchParams(location.search).get("token");
  if (given) {
    localStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname + location.hash);
  }
  return given ?? localStorage.getItem(KEPT) ?? "";
}

const token = takeToken();

/** The address of the stream; an EventSource sends no headers. */
export const streamUrl = `/api/stream?token=${encodeURIComponent(token)}`;

/**
 * @param {string} path
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  /** @type {RequestInit} */
  const request = { method, signal, headers: { Authorization: `Bearer ${token}`, ...headers } };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { "Content-Type": "application/json", ...request.headers };
  }
  const response = await fetch(path, request).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Refusal("sfmap dev does not answer. Is it still running?", 0);
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refusal(answer?.error ?? `The answer was ${response.status}.`, response.status, answer);
  return answer;
}

/**
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 */
export const post = (path, body, signal) => ask(path, { method: "POST", body, signal });

/**
 * Calls `work` once nothing has called for so many milliseconds; a call that is still under way is given up.
 *
 * @param {number} pause
 * @param {(signal: AbortSignal) => Promise<unknown>} work
 */
export function afterPause(pause, work) {
  let timer = 0;
  let control = new AbortController();
  return (isUrgent = false) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(
      async () => {
        control.abort();
        control = new AbortController();
        await work(control.signal).catch((error) => {
          if (error.name !== "AbortError") throw error;
        });
      },
      isUrgent ? 0 : pause,
    );
  };
}
