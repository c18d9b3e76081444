// C++ at -O3: virtual calls, lambdas, a catch block, std::function, deep templates.
#include <cstdio>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual int area(int depth) const = 0;
};

static void rest() {
  std::puts("ready");
  std::fflush(stdout);
  for (;;) pause();
}

template <int N>
struct Nested : Shape {
  int area(int depth) const override {
    std::string text(depth + N, 'x');
    Nested<N - 1> inner;
    const Shape &shape = inner;
    return shape.area(depth) + static_cast<int>(text.size());
  }
};

template <>
struct Nested<0> : Shape {
  int area(int depth) const override {
    std::map<int, std::function<int(int)>> table;
    table[depth] = [&](int x) {
      try {
        throw std::runtime_error("x");
      } catch (const std::exception &e) {
        std::vector<int> numbers(x + 1);
        rest();
        return numbers[0] + static_cast<int>(sizeof(e));
      }
    };
    return table[depth](depth);
  }
};

int main(int argc, char **) {
  Nested<12> start;
  const Shape *shape = &start;
  return shape->area(argc);
}
