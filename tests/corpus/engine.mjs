// Loads @getodk/xforms-engine without a browser. Two things are needed: the DOM that jsdom brings, and, while the module starts,
// a process that does not say it is Node (its XPath grammar comes by way of an Emscripten loader that wants __dirname under Node).
import { JSDOM } from 'jsdom';

const DOM = [
  'Attr', 'CDATASection', 'Comment', 'DOMParser', 'Document', 'Element', 'Node', 'NodeFilter', 'ProcessingInstruction', 'Text',
  'XMLDocument', 'XMLSerializer', 'XPathEvaluator', 'XPathException', 'XPathResult', 'document',
];
const { window } = new JSDOM('');
for (const name of DOM) {
  globalThis[name] = window[name];
}
void [globalThis.fetch, globalThis.File, globalThis.FormData, globalThis.Response]; // Node makes these when first asked, and needs its own name for it
const node = Object.getOwnPropertyDescriptor(process.versions, 'node');
Object.defineProperty(process.versions, 'node', { ...node, value: undefined, configurable: true });
const engine = await import('@getodk/xforms-engine');
Object.defineProperty(process.versions, 'node', node);

export const { loadForm } = engine;
