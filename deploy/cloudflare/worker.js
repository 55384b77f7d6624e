// Sends each call to the nearest region that takes calls.
//
// A number's voice webhook points here. The answer is TwiML with a <Redirect> to the same path at an
// origin: the carrier posts there itself, so its signature is over the origin's own URL, and the
// stream and all that follows never pass through here. "edge" in its query is the time at which the
// worker sent the call on, in unix ms. The caller's country is what the carrier
// tells (FromCountry); without it, the country that the request comes from.
//
// An origin whose /readyz does not say 200 within CHECK_MS is passed over; if none does, the caller
// hears that all lines are busy.
//
// Source: Twilio, "Twilio's request to your application"; Cloudflare, "Workers: Request".

export const DEFAULT_COUNTRY = "US";
export const DEFAULT_REGION = "us-east-1";

export const REGION_OF_COUNTRY = {
  US: "us-east-1",
  CA: "us-east-1",
  GB: "eu-west-1",
  DE: "eu-central-1",
  FR: "eu-west-1",
  IT: "eu-central-1",
  ES: "eu-west-1",
  NL: "eu-west-1",
  SG: "ap-southeast-1",
  JP: "ap-northeast-1",
  AU: "ap-southeast-1",
  IN: "ap-south-1",
};

const CHECK_MS = 1500;
const MAX_BODY_BYTES = 64 * 1024;
const PATH = /^\/incoming(\/[a-z]+)?(\/whisper)?$/;
const TWIML = { "content-type": "text/xml; charset=utf-8" };

export function regionOf(country) {
  return REGION_OF_COUNTRY[country || DEFAULT_COUNTRY] || DEFAULT_REGION;
}

// The origins in the order in which they are tried: the nearest, those of its continent, the rest.
export function orderOf(country, origins) {
  const near = regionOf(country);
  const continent = near.split("-")[0];
  const rank = (region) => (region === near ? 0 : region.split("-")[0] === continent ? 1 : 2);
  return Object.entries(origins)
    .map(([region, origin], place) => ({ region, origin: origin.replace(/\/+$/, ""), place }))
    .sort((a, b) => rank(a.region) - rank(b.region) || a.place - b.place)
    .map(({ origin }) => origin);
}

async function isReady(origin) {
  try {
    const answer = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(CHECK_MS) });
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function countryOf(request) {
  if (Number(request.headers.get("content-length") || 0) > MAX_BODY_BYTES) {
    return null;
  }
  const body = await request.text();
  if (body.length > MAX_BODY_BYTES) {
    return null;
  }
  const told = new URLSearchParams(body).get("FromCountry") || (request.cf && request.cf.country);
  return (told || DEFAULT_COUNTRY).toUpperCase();
}

function escaped(text) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}

function twiml(verbs) {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?><Response>${verbs}</Response>`, {
    headers: TWIML,
  });
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/healthz") {
      return new Response("ok\n");
    }
    if (!PATH.test(url.pathname)) {
      return new Response("There is nothing here.\n", { status: 404 });
    }
    if (request.method !== "POST") {
      return new Response("Webhooks are posted.\n", { status: 405, headers: { allow: "POST" } });
    }
    const country = await countryOf(request);
    if (country === null) {
      return new Response("The body is too large.\n", { status: 413 });
    }
    for (const origin of orderOf(country, JSON.parse(env.ORIGINS))) {
      if (await isReady(origin)) {
        const query = new URLSearchParams(url.search);
        query.set("edge", String(Date.now()));
        const to = escaped(`${origin}${url.pathname}?${query}`);
        return twiml(`<Redirect method="POST">${to}</Redirect>`);
      }
    }
    return twiml(`<Say>${escaped(env.BUSY)}</Say><Hangup/>`);
  },
};
