// Templates, virtual calls, exceptions, maps, regular expressions, on the main thread and another.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual double area(int depth) const = 0;
};

struct Square final : Shape {
  double side;
  explicit Square(double side) : side(side) {}
  double area(int depth) const override;
};

std::unique_ptr<Shape> make(double side) { return std::make_unique<Square>(side); }

__attribute__((noinline)) double Square::area(int depth) const {
  if (depth == 0) return side * side;
  return make(side / 2)->area(depth - 1) * 4;
}

template <typename Map>
std::size_t fill(Map &map, unsigned seed) {
  for (unsigned i = 0; i < 500; i++) map["item-" + std::to_string((seed * 31 + i * 7) % 97)] += i;
  return map.size();
}

static int parse(const std::string &text) {
  if (text.size() % 5 == 0) throw std::invalid_argument(text);
  return std::stoi(text);
}

static std::size_t work(unsigned seed) {
  std::map<std::string, unsigned> tree;
  std::unordered_map<std::string, unsigned> table;
  std::size_t sum = fill(tree, seed) + fill(table, seed);
  std::vector<std::pair<std::string, unsigned>> sorted(table.begin(), table.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto &a, const auto &b) { return a.second > b.second; });
  static const std::regex pattern("([a-z]+)-([0-9]+)");
  for (const auto &[name, count] : sorted) {
    std::smatch match;
    if (std::regex_match(name, match, pattern)) sum += match[2].length();
    try {
      sum += parse(std::to_string(count));
    } catch (const std::invalid_argument &) {
      sum++;
    }
  }
  return sum + static_cast<std::size_t>(make(seed)->area(20));
}

int main() {
  std::puts("ready");
  std::fflush(stdout);
  volatile std::size_t sum = 0;
  std::thread other([&sum] { for (unsigned seed = 0;; seed++) sum = sum + work(seed); });
  for (unsigned seed = 1;; seed++) sum = sum + work(seed);
}
