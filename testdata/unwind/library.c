/* Loaded with dlopen: calls back through a few frames of its own. */
__attribute__((noinline)) int call_back(void (*function)(void), int depth) {
  volatile int room[6];
  room[0] = depth;
  if (depth == 0) {
    function();
    return room[0];
  }
  return call_back(function, depth - 1) + room[0];
}
