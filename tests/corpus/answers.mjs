// Answers to try at one question, most likely ones first: by type, and by what the question's constraint mentions.

const WORDS = ['پلنگ', 'گوسفند', 'چراگاه در درهٔ بالا', 'Леопард', 'ውሻ', 'तेंदुआ', 'herder & dog', '<ridge>', 'night ', 'Ali', 'abc', 'x'];
const TRIES = 60;

// A small random source with a seed (mulberry32), so that a filling can be repeated.
export class Chance {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  between(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  of(items) {
    return items[this.between(0, items.length - 1)];
  }

  some(items) {
    const found = items.filter(() => this.next() < 0.4);
    return found.length > 0 || items.length === 0 ? found : [this.of(items)];
  }
}

const two = (number) => String(number).padStart(2, '0');

function day(chance) {
  const moment = new Date(Date.now() + chance.between(-400, 400) * 86_400_000);
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

function place(chance) {
  return `${(28 + 10 * chance.next()).toFixed(6)} ${(44 + 15 * chance.next()).toFixed(6)} ${chance.between(0, 3000)} 4.5`;
}

const BY_TYPE = {
  int: (chance) => String(chance.between(0, chance.of([2, 5, 5, 40]))),
  decimal: (chance) => (chance.next() * chance.of([1, 10, 60])).toFixed(2),
  boolean: (chance) => chance.of(['true', 'false']),
  date: day,
  time: (chance) => `${two(chance.between(0, 23))}:${two(chance.between(0, 59))}:00.000`,
  dateTime: (chance) => `${day(chance)}T${two(chance.between(0, 23))}:${two(chance.between(0, 59))}:00.000+03:30`,
  geopoint: place,
  geotrace: (chance) => [place(chance), place(chance), place(chance)].join(';'),
  geoshape: (chance) => {
    const first = place(chance);
    return [first, place(chance), place(chance), first].join(';');
  },
};

// Values for a question of this type under this constraint (an XPath text, or nothing). `others` are answers given elsewhere.
export function* candidates(type, constraint, others, chance) {
  const usual = BY_TYPE[type] ?? (() => chance.of(WORDS));
  yield usual(chance);
  if (constraint) {
    yield* mentioned(type, constraint, chance);
  }
  for (let tries = 0; tries < TRIES; tries += 1) {
    yield chance.next() < 0.3 && others.length > 0 ? chance.of(others) : usual(chance);
  }
  if (type === 'date') {
    yield* [0, 800].map((days) => day({ between: () => days })); // the only day between an earlier answer and today, or after one
  }
  if (!(type in BY_TYPE)) {
    yield* ['1', '10', '0', 'yes', 'no', 'a@b.org', '0912345678', '1234567890'];
  }
}

function* mentioned(type, constraint, chance) {
  for (const [, pattern] of constraint.matchAll(/regex\s*\([^,]*,\s*(?:'([^']*)'|"[^"]*")\s*\)/g)) {
    for (let tries = 0; pattern && tries < 8; tries += 1) {
      yield matching(pattern, chance);
    }
  }
  const numbers = [...constraint.matchAll(/-?\d+(?:\.\d+)?/g)].map(([text]) => Number(text));
  if (type === 'date' || type === 'dateTime') {
    yield* [...constraint.matchAll(/\d{4}-\d\d-\d\d/g)].map(([text]) => (type === 'date' ? text : `${text}T12:00:00.000Z`));
    return;
  }
  for (const number of numbers) {
    yield* [number, number + 1, number - 1].map((near) => (type === 'int' ? String(Math.round(near)) : String(near)));
    if (!(type in BY_TYPE) && number > 0 && number < 200) {
      yield* ['7', 'm'].map((letter) => letter.repeat(number)); // string-length(.) = number
    }
  }
  yield* [...constraint.matchAll(/'([^']+)'/g)].map(([, text]) => text);
}

// A text that this regular expression is likely to match: sequences, classes, groups, alternatives and counts.
export function matching(pattern, chance) {
  let at = 0;
  const alternatives = () => {
    const found = [sequence()];
    while (pattern[at] === '|') {
      at += 1;
      found.push(sequence());
    }
    return chance.of(found);
  };
  const sequence = () => {
    let text = '';
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      const start = at;
      const first = atom();
      const end = at;
      const count = times();
      const after = at;
      text += count > 0 ? first : '';
      for (let round = 1; round < count; round += 1) {
        at = start;
        text += atom();
      }
      at = Math.max(end, after);
    }
    return text;
  };
  const atom = () => {
    const letter = pattern[at];
    at += 1;
    if (letter === '(') {
      if (pattern.startsWith('?:', at)) at += 2;
      const text = alternatives();
      at += 1;
      return text;
    }
    if (letter === '[') return chance.of(oneOf());
    if (letter === '.') return chance.of(['a', 'b', '7']);
    if (letter === '^' || letter === '$') return '';
    if (letter === '\\') return escaped(pattern[at++]);
    return letter;
  };
  const escaped = (letter) => ({ d: String(chance.between(0, 9)), w: chance.of(['a', 'k', 'Z']), s: ' ', D: 'a', S: 'a', b: '' })[letter] ?? letter;
  const oneOf = () => {
    const negative = pattern[at] === '^';
    if (negative) at += 1;
    const letters = [];
    while (at < pattern.length && pattern[at] !== ']') {
      const low = pattern[at] === '\\' ? escaped(pattern[++at]) : pattern[at];
      at += 1;
      if (pattern[at] === '-' && pattern[at + 1] !== ']' && at + 1 < pattern.length) {
        for (let code = low.charCodeAt(0); code <= pattern.charCodeAt(at + 1); code += 1) letters.push(String.fromCharCode(code));
        at += 2;
      } else {
        letters.push(low);
      }
    }
    at += 1;
    if (negative) return [...'abcXYZ0189 _'].filter((letter) => !letters.includes(letter));
    return letters.length > 0 ? letters : ['a'];
  };
  const times = () => {
    const rest = pattern.slice(at);
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(rest);
    if (counted) {
      at += counted[0].length;
      const low = Number(counted[1]);
      return counted[2] ? chance.between(low, counted[3] ? Number(counted[3]) : low + 2) : low;
    }
    const simple = { '*': [0, 3], '+': [1, 4], '?': [0, 1] }[rest[0]];
    if (!simple) return 1;
    at += 1;
    return chance.between(...simple);
  };
  return alternatives();
}
