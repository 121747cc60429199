/** Calls to our own API: keys, JSON, and errors as sentences. */

import { keyHeaders } from "./key";

/** An answer that says no, or no answer at all (`status` 0). `message` is a sentence for a person. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

interface ErrorBody {
  msg?: string;
  nested?: { msg?: string; field?: string; expected?: string };
}

/** The sentence in the body of an error answer. */
export function errorText(status: number, body: string): string {
  let parsed: ErrorBody;
  try {
    parsed = JSON.parse(body) as ErrorBody;
  } catch {
    return status === 0 ? "The server cannot be reached." : `The server answered with error ${status}.`;
  }
  const sentence = parsed.nested?.msg ?? parsed.msg ?? `The server answered with error ${status}.`;
  const expected = parsed.nested?.expected;
  return expected && !sentence.includes(expected) ? `${sentence} (expected: ${expected})` : sentence;
}

/** Send a request to our API and read its JSON answer; null when the answer has no body. */
export async function call<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...keyHeaders(url, location) };
  const init: RequestInit = { method, headers };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const [response, text] = await answer(url, init);
  if (!response.ok) throw new ApiError(errorText(response.status, text), response.status);
  return (text ? JSON.parse(text) : null) as T;
}

async function answer(url: string, init: RequestInit): Promise<[Response, string]> {
  try {
    const response = await fetch(url, init);
    return [response, await response.text()];
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(errorText(0, ""), 0);
  }
}

/** POST a form, telling how much of it (0 to 1) has left. */
export function postForm(url: string, form: FormData, onProgress: (part: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries(keyHeaders(url, location))) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () =>
      request.status < 400 ? resolve() : reject(new ApiError(errorText(request.status, request.responseText), request.status));
    request.onerror = () => reject(new ApiError(errorText(0, ""), 0));
    request.send(form);
  });
}
