import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/apiserver/request-body.js';
import { makeRequest } from './front-request.js';

const read = (body: string | Uint8Array, type = 'application/json') =>
  readBody(makeRequest('/', { method: 'POST', body, headers: { 'content-type': type } }));

describe('a request body', () => {
  it('that is not JSON is refused with its position', async () => {
    await expect(read('{\n  "kind": "Pod",\n  oops\n}')).rejects.toMatchObject({
      code: 'BadRequest',
      message: expect.stringMatching(/not valid JSON at line 3, column 3/) as string,
    });
  });

  it('that ends too early is refused', async () => {
    await expect(read('{"a": [1,')).rejects.toMatchObject({ code: 'BadRequest' });
  });

  it('that is not UTF-8 is refused', async () => {
    await expect(read(Uint8Array.of(0x22, 0xff, 0x22))).rejects.toThrow(/not valid UTF-8/);
  });

  it('in YAML is read as kubectl reads it', async () => {
    expect(await read('enabled: yes\nmode: 0644\n', 'application/yaml')).toEqual({
      enabled: true,
      mode: 420,
    });
  });

  it('in broken YAML is refused with its position', async () => {
    await expect(read('a: 1\nb: [1, 2\nc: 3\n', 'application/yaml')).rejects.toMatchObject({
      code: 'BadRequest',
      message: expect.stringMatching(/not valid YAML at line \d+, column \d+/) as string,
    });
  });

  it('of another type is refused by name', async () => {
    await expect(read('<pod/>', 'text/xml')).rejects.toMatchObject({ code: 'UnsupportedMediaType' });
  });

  it('that is empty is no value', async () => {
    expect(await read('')).toBeUndefined();
  });

  it('that names a field twice says which', async () => {
    const told: string[] = [];
    const request = makeRequest('/', { body: '{"spec":{"replicas":1,"replicas":2}}' });
    await readBody(request, (paths) => told.push(...paths));
    expect(told).toEqual(['spec.replicas']);
  });
});
