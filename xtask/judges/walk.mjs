// A person without JavaScript: follows redirects and submits plain HTML forms, with a cookie jar per
// host, until it is sent to an address that begins with `until`.

/** Returns the final URL. `fields` fills inputs by name; hidden inputs keep their values. */
export async function walk(start, until, fields) {
  const jar = new Map();
  let url = start;
  let request = {};
  for (let step = 0; step < 30; step += 1) {
    const response = await send(url, request, jar);
    if (response.status >= 300 && response.status < 400) {
      url = new URL(response.headers.get('location'), url).href;
      if (url.startsWith(until)) return url;
      request = {};
      continue;
    }
    const html = await response.text();
    const form = firstForm(html);
    if (!form) throw new Error(`no form at ${url} (${response.status}): ${html.slice(0, 600)}`);
    ({ url, request } = submit(form, url, fields));
  }
  throw new Error(`still walking after 30 steps, at ${url}`);
}

async function send(url, request, jar) {
  const host = new URL(url).host;
  const cookies = jar.get(host) ?? new Map();
  jar.set(host, cookies);
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const headers = { ...(request.headers ?? {}), ...(cookie ? { cookie } : {}) };
  const response = await fetch(url, { redirect: 'manual', ...request, headers });
  for (const line of response.headers.getSetCookie()) {
    const [pair] = line.split(';');
    const at = pair.indexOf('=');
    cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return response;
}

function firstForm(html) {
  const match = html.match(/<form\b([^>]*)>([\s\S]*?)<\/form>/i);
  return match && { attributes: match[1], inner: match[2] };
}

function attribute(tag, name) {
  const value = tag.match(new RegExp(`\\b${name}="([^"]*)"`, 'i'))?.[1];
  return value?.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#x27;', "'")
    .replaceAll('&#34;', '"').replaceAll('&#38;', '&').replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<').replaceAll('&gt;', '>');
}

function submit(form, base, fields) {
  const body = new URLSearchParams();
  for (const [tag] of form.inner.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    if (!name || attribute(tag, 'type') === 'submit') continue;
    body.append(name, fields[name] ?? attribute(tag, 'value') ?? '');
  }
  // Of several buttons a person who agrees presses the first.
  const button = form.inner.match(/<button\b[^>]*\bname="[^"]*"[^>]*>/i)?.[0];
  if (button) body.append(attribute(button, 'name'), attribute(button, 'value') ?? '');
  const url = new URL(attribute(form.attributes, 'action') || base, base);
  if ((attribute(form.attributes, 'method') ?? 'get').toLowerCase() === 'get') {
    url.search = body.toString();
    return { url: url.href, request: {} };
  }
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    origin: new URL(base).origin,
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'navigate',
  };
  return { url: url.href, request: { method: 'POST', body: body.toString(), headers } };
}
