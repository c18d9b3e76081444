import { expect, test } from 'vitest';
import { plainTypeName } from './type-spelling.ts';

const STRING = 'std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >';

test.each([
  ['std::vector<int>', 'std::vector<int, std::allocator<int> >'],
  [
    'std::vector<std::vector<int>>',
    'std::vector<std::vector<int, std::allocator<int> >, std::allocator<std::vector<int, std::allocator<int> > > >',
  ],
  ['std::map<int, std::string>', `std::map<int, ${STRING}, std::less<int>, std::allocator<std::pair<int const, ${STRING} > > >`],
  [
    'std::unordered_map<std::string, long>',
    `std::unordered_map<${STRING}, long int, std::hash<${STRING} >, std::equal_to<${STRING} >, std::allocator<std::pair<const ${STRING}, long int> > >`,
  ],
  ['std::string', STRING],
  ['std::string', 'std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char>>'],
  ['std::pair<const int, char *>', 'std::pair<int const, char*>'],
  ['std::unique_ptr<shop::Item>', 'std::unique_ptr<shop::Item, std::default_delete<shop::Item> >'],
  ['std::array<unsigned long, 4>', 'std::array<long unsigned int, 4ul>'],
  ['std::queue<int>', 'std::queue<int, std::deque<int, std::allocator<int> > >'],
  ['std::function<int (const char *, long)>', 'std::function<int(char const*, long int)>'],
  ['std::map<int, int>::iterator', 'std::map<int, int, std::less<int>, std::allocator<std::pair<int const, int> > >::iterator'],
  ['(anonymous namespace)::Ring<short>', '(anonymous namespace)::Ring<short int>'],
  ['Tuple<>', 'Tuple< >'],
  ['unsigned', 'unsigned int'],
  ['long long', 'long long int'],
])('plainTypeName() finds that %s and %s are one', (left, right) => {
  expect(plainTypeName(right)).toBe(plainTypeName(left));
});

test.each([
  ['std::map<int, long>', 'std::map<int, long, std::greater<int> >'],
  ['std::set<int>', 'std::set<int, std::less<long> >'],
  ['std::vector<int>', 'std::vector<unsigned int>'],
  ['char *const', 'const char *'],
  ['Box<signed char>', 'Box<char>'],
  ['Box<const int *>', 'Box<int *const>'],
  ['a::Box<int>', 'b::Box<int>'],
  ['Ring<long, 4>', 'Ring<long, 5>'],
  ['Ring<unsigned>', 'Ring<unsigned char>'],
])('plainTypeName() keeps %s and %s apart', (left, right) => {
  expect(plainTypeName(right)).not.toBe(plainTypeName(left));
});

const DEEP = `${'a<'.repeat(500)}int${'>'.repeat(500)}`;
test.each(['', '<', 'a<b', 'a>b', 'a<b>>', '((((', 'f(', '::', 'a::', DEEP])('plainTypeName() ends on %#', (name) => {
  expect(plainTypeName(name)).toBe(name.replaceAll(' ', ''));
});
