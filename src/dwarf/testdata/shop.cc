#include <vector>
#include <string>
#include <map>
#include <memory>
namespace shop {
enum class Kind : unsigned char { Small = 1, Large = 200 };
enum Plain { One = 1, Two };
struct Base { virtual ~Base() {} int id; };
struct Other { long extra; };
template <typename T, int N> class Box : public Base, public Other { public: T items[N]; T &ref; static int made; Box(T &r) : ref(r) { made++; } T get(int i) const; Kind kind; struct Inner { T t; }; Inner in; };
template <typename T, int N> int Box<T, N>::made = 0;
template <typename T, int N> T Box<T, N>::get(int i) const { return items[i % N] + ref; }
namespace { int hidden(int x) { return x * 2; } int secret = 4; }
int total = 9;
template <typename T> T maximum(T a, T b) { return a > b ? a : b; }
struct Virtual : virtual Base { int v; };
}
int use(const std::vector<int> &v, std::string &&s, shop::Box<int, 4> *b, int shop::Base::*pm) { return v.size() + s.size() + b->get(2); }
int main(int argc, char **argv) {
  int x = argc; shop::Box<int, 4> b(x); shop::Virtual vv; vv.v = argc; std::map<std::string, std::shared_ptr<int>> m; m["a"] = std::make_shared<int>(3);
  return use({1,2,3}, "abc", &b, &shop::Base::id) + shop::hidden(argc) + shop::maximum(argc, 3) + shop::secret + shop::total + b.made + (int)m.size() + vv.v;
}
