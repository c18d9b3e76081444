# What containers.y prints, by gdb's own reading of the same core dump. The last lines are gdb's names of two functions.
set pagination off
set language c++

define text
  printf "%d:%s", $s->_M_string_length, $s->_M_dataplus._M_p
end
define leftmost
  while $node->_M_left != 0
    set $node = $node->_M_left
  end
end

echo -- script --\n
set $begin = shop::numbers._M_impl._M_start
set $end = shop::numbers._M_impl._M_finish
printf "vector of %d, %d bytes each\n", $end - $begin, sizeof(int)
set $sum = 0
while $begin != $end
  printf " %d", *$begin
  set $sum = $sum + *$begin
  set $begin = $begin + 1
end
printf "\nsum %ld, the object %d bytes\n", $sum, sizeof(shop::numbers)

set $header = &shop::names._M_t._M_impl._M_header
printf "map of %d\n", shop::names._M_t._M_impl._M_node_count
set $node = $header->_M_parent
leftmost
while $node != $header
  set $pair = (char *)($node + 1)
  printf " %d ", *(int *)$pair
  if $node->_M_color == std::_S_black
    printf "black "
  else
    printf "red "
  end
  set $s = (std::string *)($pair + 8)
  text
  printf "\n"
  if $node->_M_right != 0
    set $node = $node->_M_right
    leftmost
  else
    while $node == $node->_M_parent->_M_right
      set $node = $node->_M_parent
    end
    set $node = $node->_M_parent
  end
end

printf "unordered_map of %d\n", shop::stock._M_h._M_element_count
set $next = shop::stock._M_h._M_before_begin._M_nxt
while $next != 0
  set $pair = (char *)($next + 1)
  printf " "
  set $s = (std::string *)$pair
  text
  printf " %ld hash %lx\n", *(long *)($pair + sizeof(std::string)), *(unsigned long *)($pair + sizeof(std::string) + 8)
  set $next = $next->_M_nxt
end

set $s = &shop::short_text
text
if (void *)shop::short_text._M_dataplus._M_p == (void *)&shop::short_text._M_local_buf
  printf " inside\n"
else
  printf " outside\n"
end
set $s = &shop::long_text
text
if (void *)shop::long_text._M_dataplus._M_p == (void *)&shop::long_text._M_local_buf
  printf " inside\n"
else
  printf " outside\n"
end
printf "unique_ptr to %d\n", **(int **)&shop::owned
printf "%d ", shop::second->id_
set $s = &shop::second->name_
text
if shop::second->kind_ == shop::Kind::Toy
  printf " Toy"
end
printf " tag %d, %d percent off\n", shop::second->tag, shop::second->percent_
printf "kinds %d %d %d\n", shop::Kind::Book, shop::Kind::Game, shop::Kind::Toy
printf "ring %ld %ld %ld %ld, head %d of %d bytes\n", shop::ring.items[0], shop::ring.items[1], shop::ring.items[2], shop::ring.items[3], shop::ring.head, sizeof(shop::ring)
printf "%d %d\n", shop::plain, shop::reference
info symbol **(long **)shop::first
info symbol **(long **)shop::second
