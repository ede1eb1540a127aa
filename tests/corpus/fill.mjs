// Fills in forms with @getodk/xforms-engine: an ODK client without a screen and without any code of ours behind its answers.
//
// Every line on standard input is "FOLDER<tab>SEED"; FOLDER holds form.xml and media/. The seed also chooses the language, one after
// the other, and every text that is shown is read in it. The filled record and its files go to
// FOLDER/xforms-engine/, and one line of JSON says {folder, state, message}: the state is "valid", "invalid" (the engine still
// objects, `message` says where) or "refused" (the engine does not take the form).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { candidates, Chance } from './answers.mjs';
import { loadForm } from './engine.mjs';

const ROUNDS = 4;
const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');
const KINDS = { '.csv': 'text/csv', '.xml': 'text/xml', '.geojson': 'application/geo+json' };
const UPLOADS = { image: ['image/png', '.png'], audio: ['audio/mp4', '.m4a'], video: ['video/mp4', '.mp4'] };
const MAX_ROUNDS_OF_A_REPEAT = 2;

let opened = { folder: '', xml: '', form: undefined }; // a form is filled in many times, and parsing it takes longest

async function open(folder) {
  const xml = readFileSync(join(folder, 'form.xml'), 'utf8');
  if (opened.folder !== folder || opened.xml !== xml) {
    const form = await loadForm(xml, {
      fetchFormAttachment: async (url) => attachment(folder, url),
      missingResourceBehavior: 'BLANK',
    });
    opened = { folder, xml, form };
  }
  return opened.form;
}

async function fill(folder, seed) {
  const form = await open(folder);
  if (form.status === 'failure') {
    return { state: 'refused', message: String(form.error?.message ?? form.error) };
  }
  let files = 0;
  const { root } = form.createInstance({
    preloadProperties: { deviceID: 'collect:corpus', username: 'corpus', email: 'corpus@example.org', phoneNumber: '+98210000000' },
    geolocationProvider: { getLocation: async () => '35.7 51.4 1200 5' },
    instanceAttachments: { fileNameFactory: (meta) => `${1_700_000_000_000 + (files += 1)}${meta.extension ?? ''}` },
  });
  const chance = new Chance(seed);
  const languages = root.languages.filter((language) => language.isSyntheticDefault !== true);
  if (languages.length > 0) root.setLanguage(languages[seed % languages.length]);
  for (let round = 0; round < ROUNDS; round += 1) {
    answerAll(root, chance, round > 0);
  }
  const payload = await root.prepareInstancePayload({ payloadType: 'monolithic' });
  await write(join(folder, 'xforms-engine'), payload.data[0]);
  const violations = root.validationState.violations.map((violation) => `${violation.reference} (${violation.violation.condition})`);
  return { state: violations.length > 0 ? 'invalid' : 'valid', message: violations.join(', ') };
}

function attachment(folder, url) {
  const name = decodeURIComponent(basename(String(url)));
  const kind = KINDS[extname(name).toLowerCase()] ?? 'application/octet-stream';
  try {
    return new Response(readFileSync(join(folder, 'media', name)), { headers: { 'content-type': kind } });
  } catch {
    return new Response('', { status: 404 });
  }
}

async function write(folder, data) {
  mkdirSync(folder, { recursive: true });
  for (const [name, file] of data.entries()) {
    writeFileSync(join(folder, name === 'xml_submission_file' ? 'submission.xml' : name), Buffer.from(await file.arrayBuffer()));
  }
}

// One pass in the order of the questions. `repair` leaves alone what the engine has no objection to.
function answerAll(node, chance, repair) {
  if (!node.currentState.relevant) {
    return;
  }
  if (!repair) read(node);
  if (node.nodeType === 'repeat-range:uncontrolled' && !repair) {
    node.addInstances(undefined, chance.between(0, MAX_ROUNDS_OF_A_REPEAT));
  }
  for (const inner of node.currentState.children ?? []) {
    answerAll(inner, chance, repair);
  }
  if (!node.currentState.readonly && (!repair || node.validationState.violation)) {
    answer(node, chance);
  }
}

// What a person would see here; the engine throws where a text cannot be made.
function read(node) {
  const { label, hint, valueOptions } = node.currentState;
  return [label, hint, ...(valueOptions ?? []).map((option) => option.label)].map((text) => [text?.asString, text?.imageSource]);
}

function answer(node, chance) {
  const objects = () => node.validationState.violation !== null && node.validationState.violation !== undefined;
  for (const give of attempts(node, chance)) {
    try {
      give();
    } catch {
      continue; // not a value of this type
    }
    if (!objects()) {
      return;
    }
  }
}

// What may be done at this node, as functions to call one after the other until the engine is content.
function* attempts(node, chance) {
  const options = () => (node.currentState.valueOptions ?? []).map((option) => option.value);
  const constraint = node.definition.bind?.constraint?.expression;
  if (node.nodeType === 'select' && node.selectType?.startsWith('select1')) {
    for (const value of shuffled(options(), chance)) yield () => node.selectValue(value);
  } else if (node.nodeType === 'select') {
    yield () => node.selectValues(chance.some(options()));
    for (const value of shuffled(options(), chance)) yield () => node.selectValues([value]);
    yield () => node.selectValues(options());
    yield () => node.selectValues([]);
  } else if (node.nodeType === 'rank') {
    for (let tries = 0; tries < 5; tries += 1) yield () => node.setValues(shuffled(options(), chance));
  } else if (node.nodeType === 'trigger') {
    yield () => node.setValue(true);
  } else if (node.nodeType === 'upload') {
    yield () => node.setValue(upload(node));
  } else if (node.nodeType === 'range') {
    const { min, max, step } = node.definition.bodyElement.bounds ?? node.definition.bounds;
    for (let tries = 0; tries < 8; tries += 1) yield () => node.setValue(inside(Number(min), Number(max), Number(step), chance));
  } else if (node.nodeType === 'input') {
    for (const value of candidates(node.valueType, plain(constraint), others(node), chance)) yield () => node.setValue(value);
  }
}

function plain(constraint) {
  return constraint === 'true()' ? '' : constraint;
}

function inside(min, max, step, chance) {
  return min + step * chance.between(0, Math.floor((max - min) / step));
}

function upload(node) {
  const [type, extension] = UPLOADS[node.nodeOptions?.media?.type] ?? ['application/pdf', '.pdf'];
  return new File([PIXEL], `chosen${extension}`, { type });
}

function others(node) {
  return node.parent.currentState.children
    .filter((other) => other !== node && other.nodeType === 'input' && other.valueType === node.valueType)
    .map((other) => other.instanceState.instanceXML.replace(/<[^>]*>/g, ''))
    .filter(Boolean);
}

function shuffled(items, chance) {
  return items.map((item) => [chance.next(), item]).sort(([left], [right]) => left - right).map(([, item]) => item);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [folder, seed] = line.split('\t');
  let result;
  try {
    result = await fill(folder, Number(seed));
  } catch (error) {
    result = { state: 'refused', message: String(error?.message ?? error) };
  }
  console.log(JSON.stringify({ folder, ...result, message: result.message.replace(/\s+/g, ' ').slice(0, 500) }));
}
