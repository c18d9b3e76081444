/* A library that lively.c loads. gcc -g -O1 -shared -fPIC plugin.c -o plugin.so */
extern unsigned long step(unsigned long sum, unsigned long i);

__attribute__((noinline)) unsigned long plugin_inner(unsigned long i) {
    unsigned long next = step(2, i);
    __asm__ volatile("" : "+r"(next));
    return next;
}

unsigned long plugin_step(unsigned long i) {
    unsigned long next = plugin_inner(i) + 1;
    __asm__ volatile("" : "+r"(next));
    return next;
}
