/**
 * One spelling for the many that a C++ type has: `std::map<int, std::string>` and
 * `std::map<int, std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >, std::less<int>, …>` become the same text.
 *
 * Compilers differ, and one compiler does from entry to entry, in spaces, in where `const` stands (`int const`), in how integers are called
 * (`long unsigned int`), in literals (`4ul`) and in whether default arguments are written. Inline namespaces of the standard libraries
 * (`std::__cxx11`, `std::__1`) are left out, as in the source.
 */

const TOKEN = /\s+|::|[\w$~.]+|[^\s\w$~.]/gy;
const INTEGER_WORDS = new Set(['unsigned', 'signed', 'long', 'short', 'int', 'char']);
const QUALIFIERS = new Set(['const', 'volatile']);
const KEYWORDS = new Set(['struct', 'class', 'union', 'enum', 'typename']);
/** typedefs of the standard library whose arguments' entries name what they stand for. */
const ALIASES = new Map(
  [
    ['string', 'char'],
    ['wstring', 'wchar_t'],
    ['u8string', 'char8_t'],
    ['u16string', 'char16_t'],
    ['u32string', 'char32_t'],
  ].flatMap(([name, letter]) => [
    [`std::${name}`, `std::basic_string<${letter}>`],
    [`std::${name}_view`, `std::basic_string_view<${letter}>`],
  ]),
);
/** Deeper nesting is no type of a real program. */
const MAX_DEPTH = 128;

/** Names of types are equal when this makes the same text of them. A name that cannot be read so comes back without its spaces. */
export function plainTypeName(name: string): string {
  const tokens = name.match(TOKEN)?.filter((token) => token.trim() !== '') ?? [];
  const reader = new Reader(tokens);
  const plain = reader.type(0);
  return reader.isBroken || !reader.isAtEnd ? name.replaceAll(' ', '') : plain;
}

class Reader {
  isBroken = false;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#tokens.length;
  }

  /** A type, up to the `,`, `>` or `)` that ends it. */
  type(depth: number): string {
    if (depth > MAX_DEPTH) this.isBroken = true;
    const words: string[] = [];
    const tail: string[] = [];
    while (!this.isAtEnd && !this.isBroken) {
      const token = this.#tokens[this.#next]!;
      if (token === ',' || token === '>' || token === ')') break;
      if (token === '::' || /^[\w$~.]/.test(token)) {
        const path = this.#path(depth);
        (tail.length > 0 ? tail : words).push(path);
      } else {
        this.#next++;
        tail.push(token === '(' ? `(${this.#list(')', depth).join(',')})` : token);
      }
    }
    return [...specifiers(words), ...tail].join(' ');
  }

  /** `ns::Name<…>::Inner`. */
  #path(depth: number): string {
    let path = '';
    for (; !this.isAtEnd && !this.isBroken; this.#next++) {
      const token = this.#tokens[this.#next]!;
      const follows = path === '' || path.endsWith('::');
      if (token === '::') path += path === '' ? '' : token;
      else if (token === '<' && !follows) {
        this.#next++;
        path = shorten(path, this.#list('>', depth));
        this.#next--;
      } else if (token === '(' && follows && this.#tokens[this.#next + 1] === 'anonymous') {
        path += '(anonymous namespace)';
        this.#next += 3;
      } else if (follows && /^[\w$~.]/.test(token)) path += token;
      else break;
      path = path.replace(/^std::(?:__cxx11|__1|__ndk1)::/, 'std::');
    }
    if (path.endsWith('::') || path === '') this.isBroken = true;
    return ALIASES.get(path) ?? path;
  }

  /** The arguments up to `end`, which is passed. */
  #list(end: string, depth: number): string[] {
    const found: string[] = [];
    while (!this.isBroken) {
      found.push(this.type(depth + 1));
      const token = this.#tokens[this.#next++];
      if (token === end) break;
      if (token !== ',') this.isBroken = true;
    }
    return found;
  }
}

/** `unsigned long const` of whatever order. */
function specifiers(words: readonly string[]): string[] {
  const plain = words.filter((word) => !QUALIFIERS.has(word) && !KEYWORDS.has(word));
  const qualifiers = words.filter((word) => QUALIFIERS.has(word)).sort();
  return [...(plain.length > 0 && plain.every((word) => INTEGER_WORDS.has(word)) ? integer(plain) : plain.map(literal)), ...qualifiers];
}

function integer(words: readonly string[]): string[] {
  const rank = words.filter((word) => word === 'long' || word === 'short' || word === 'char');
  const sign = words.includes('unsigned') ? ['unsigned'] : words.includes('signed') && rank[0] === 'char' ? ['signed'] : [];
  return [...sign, ...(rank.length > 0 ? rank : ['int'])];
}

function literal(word: string): string {
  return /^-?\d+[uUlL]+$/.test(word) ? word.replace(/[uUlL]+$/, '') : word;
}

/** Leaves out the default arguments of the standard library's templates at the end. */
function shorten(template: string, given: readonly string[]): string {
  const kept = [...given];
  while (kept.length > 1 && isDefault(template, kept)) kept.pop();
  return kept.length === 1 && kept[0] === '' ? `${template}<>` : `${template}<${kept.join(',')}>`;
}

function isDefault(template: string, given: readonly string[]): boolean {
  const [first] = given;
  const last = given.at(-1)!;
  if (last.startsWith('std::allocator<')) return true;
  if (['char_traits', 'less', 'hash', 'equal_to', 'default_delete'].some((name) => last === `std::${name}<${first}>`)) return true;
  if (template === 'std::stack' || template === 'std::queue') return last === `std::deque<${first}>`;
  return template === 'std::priority_queue' && last === `std::vector<${first}>`;
}
