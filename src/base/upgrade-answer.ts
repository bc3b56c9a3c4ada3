// The head of an answer to an `Upgrade:` request: whoever takes such a connection over writes it itself.

export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `\r\n` in a value would start a header of its own. */
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, ' ');

/** Status line and headers of HTTP/1.1, with the empty line behind them. */
export const answerHead = (status: number, headers: AnswerHeaders): string => {
  const lines = [`HTTP/1.1 ${status} ${status === 101 ? 'Switching Protocols' : 'Refused'}`];
  for (const [name, value] of Object.entries(headers))
    for (const each of value === undefined ? [] : typeof value === 'string' ? [value] : value)
      lines.push(`${name}: ${oneLine(each)}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
};

/** A whole answer after which the connection ends, with a JSON body. */
export const refusal = (status: number, body: unknown, headers: AnswerHeaders = {}): string => {
  const text = JSON.stringify(body);
  return `${answerHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  })}${text}`;
};

/** Values of a header that is a comma-separated list. */
export const listed = (header: string | undefined): readonly string[] =>
  (header ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
