/**
 * A word that a POSIX shell takes as it is.
 * @param {string} text
 */
export function shellQuoted(text) {
  return /^[A-Za-z0-9_\/:=.,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * @typedef {object} Request
 * @property {string} base  the address of the gateway, ending in "/"
 * @property {string} operation
 * @property {unknown} input
 * @property {boolean} stream  the operation is a subscription
 * @property {string} session
 * @property {boolean} token  whether the caller has a bearer token, which itself is not written down
 */

/**
 * The call as a `curl` command.
 * @param {Request} request
 */
export function curlCommand({ base, operation, input, stream, session, token }) {
  const headers = [`Alknet-Session: ${session}`].map((header) => `-H ${shellQuoted(header)}`);
  if (token) headers.push('-H "Authorization: Bearer $TOKEN"');
  const lines = stream
    ? [
        `curl -N -G ${shellQuoted(`${base}subscribe`)}`,
        ...headers,
        `--data-urlencode ${shellQuoted(`operation=${operation}`)}`,
        `--data-urlencode ${shellQuoted(`input=${JSON.stringify(input)}`)}`,
      ]
    : [
        `curl ${shellQuoted(`${base}call`)}`,
        `-H ${shellQuoted("Content-Type: application/json")}`,
        ...headers,
        `-d ${shellQuoted(JSON.stringify({ operation, input }))}`,
      ];
  return lines.join(" \\\n  ");
}

/**
 * The call as an `alknet` command.
 * @param {Request} request
 */
export function alknetCommand({ base, operation, input, stream }) {
  const words = [
    "alknet",
    "call",
    ...(stream ? ["--stream"] : []),
    base.replace(/\/$/, ""),
    operation,
    JSON.stringify(input),
  ];
  return words.map(shellQuoted).join(" ");
}
