// A C++ program with known state, for looking into: classes, templates, the standard library's containers.
// It prints `ready`, does one round of calls for each line that it reads, and ends with its input.
//
// g++ -g -O1 state.cc -o state-cc

#include <cstdio>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#define SEEN __attribute__((noinline))

namespace shop {

enum class Kind : uint8_t { Book = 1, Game = 2, Toy = 200 };

class Item {
 public:
    Item(int id, Kind kind, std::string name) : id_(id), kind_(kind), name_(std::move(name)) {}
    virtual ~Item() = default;
    virtual SEEN int price() const { return id_ * 100; }
    int id() const { return id_; }

 protected:
    int id_;
    Kind kind_;
    std::string name_;
};

struct Tagged {
    int tag = 77;
};

class Discounted : public Item, public Tagged {
 public:
    Discounted(int id, Kind kind, std::string name, int percent) : Item(id, kind, std::move(name)), percent_(percent) {}
    SEEN int price() const override { return Item::price() * (100 - percent_) / 100; }

 private:
    int percent_;
};

template <typename T, int N>
struct Ring {
    T items[N];
    int head = 0;
    SEEN void push(const T &item) { items[head++ % N] = item; }
};

Item *first = nullptr;
Discounted *second = nullptr;
std::vector<int> numbers;
std::map<int, std::string> names;
std::unordered_map<std::string, long> stock;
std::string short_text = "short";
std::string long_text = "a text that is too long for the small-string buffer of any library";
std::unique_ptr<int> owned;
Ring<long, 4> ring;
int plain = 5;
int &reference = plain;

SEEN int sell(Item &item, int count) { return item.price() * count; }
SEEN void finished() { __asm__ volatile(""); }

}  // namespace shop

int main() {
    using namespace shop;
    setvbuf(stdout, nullptr, _IOLBF, 0);
    first = new Item(3, Kind::Book, "atlas");
    second = new Discounted(4, Kind::Toy, "a rather long name for a small toy train", 25);
    for (int i = 0; i < 8; i++) numbers.push_back(i * 3);
    for (int i = 5; i > 0; i--) names[i * 11] = "name " + std::to_string(i);
    for (const char *key : {"apple", "pear", "plum", "cherry"}) stock[key] = static_cast<long>(std::string(key).size()) * 1000;
    owned = std::make_unique<int>(123);
    for (long i = 0; i < 6; i++) ring.push(i * 7);
    puts("ready");
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        long sum = 0;
        for (int i = 1; i <= 5; i++) sum += sell(i % 2 ? *first : *second, i);
        finished();
        printf("done %ld\n", sum);
    }
}
