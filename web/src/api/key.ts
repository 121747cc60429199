/** The API key in a page's own address: it opens private maps in other people's pages. */

/** The key in `search` (a page's query string), or null. */
export function keyOf(search: string): string | null {
  return new URLSearchParams(search).get("api_key") || null;
}

/** Headers that a request to `url` needs on a page at `page`: the key goes to our own origin only. */
export function keyHeaders(url: string, page: { href: string; origin: string; search: string }): Record<string, string> {
  const key = keyOf(page.search);
  if (key === null || new URL(url, page.href).origin !== page.origin) return {};
  return { "API-Key": key };
}
