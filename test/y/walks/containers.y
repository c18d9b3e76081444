// Containers of libstdc++ (GCC 12) in the program state.cc, and its own classes. All types are those of its debug information.

long sum;

// In order: down to the left, then to the next greater one, which is right and down or else up.
`std::_Rb_tree_node_base` *leftmost(`std::_Rb_tree_node_base` *node) {
    while (node->_M_left) node = node->_M_left;
    return node;
}

`std::_Rb_tree_node_base` *next(`std::_Rb_tree_node_base` *node) {
    if (node->_M_right) return leftmost(node->_M_right);
    while (node == node->_M_parent->_M_right) node = node->_M_parent;
    return node->_M_parent;
}

void print_text(`std::string` *text) {
    printf("%d:%s", text->_M_string_length, _ustr(text->_M_dataplus._M_p, text->_M_string_length));
}

_probe _oneshot {
    // std::vector<int>: three pointers.
    int *end = `shop::numbers`._M_impl._M_finish;
    printf("vector of %d, %d bytes each\n", end - `shop::numbers`._M_impl._M_start, sizeof(int));
    for (int *p = `shop::numbers`._M_impl._M_start; p != end; p++) { printf(" %d", *p); sum += *p; }
    printf("\nsum %ld, the object %d bytes\n", sum, sizeof(`std::vector<int>`));

    // std::map<int, std::string>: a red-black tree around a header, whose parent is the root and whose left is the first.
    `std::map<int, std::string>` *map = &`shop::names`;
    `std::_Rb_tree_node_base` *header = &map->_M_t._M_impl._M_header;
    printf("map of %d\n", map->_M_t._M_impl._M_node_count);
    for (`std::_Rb_tree_node_base` *n = leftmost(header->_M_parent); n != header; n = next(n)) {
        `std::_Rb_tree_node<std::pair<const int, std::string>>` *node = (`std::_Rb_tree_node<std::pair<const int, std::string>>` *)n;
        `std::pair<const int, std::string>` *pair = (`std::pair<const int, std::string>` *)&node->_M_storage;
        printf(" %d %s ", pair->first, n->_M_color ? "black" : "red");
        print_text(&pair->second);
        printf("\n");
    }

    // std::unordered_map<std::string, long>: all nodes on one list.
    printf("unordered_map of %d\n", `shop::stock`._M_h._M_element_count);
    for (`std::__detail::_Hash_node_base` *n = `shop::stock`._M_h._M_before_begin._M_nxt; n; n = n->_M_nxt) {
        `std::__detail::_Hash_node<std::pair<const std::string, long>, true>` *node =
            (`std::__detail::_Hash_node<std::pair<const std::string, long>, true>` *)n;
        `std::pair<const std::string, long>` *pair = (`std::pair<const std::string, long>` *)&node->_M_storage;
        printf(" ");
        print_text(&pair->first);
        printf(" %ld hash %lx\n", pair->second, node->_M_hash_code);
    }

    // std::string: short ones lie in the object itself.
    print_text(&`shop::short_text`);
    printf(" %s\n", (long)`shop::short_text`._M_dataplus._M_p == (long)&`shop::short_text`._M_local_buf ? "inside" : "outside");
    print_text(&`shop::long_text`);
    printf(" %s\n", (long)`shop::long_text`._M_dataplus._M_p == (long)&`shop::long_text`._M_local_buf ? "inside" : "outside");

    // std::unique_ptr<int>: a tuple of the pointer and an empty deleter, which are base classes of each other.
    printf("unique_ptr to %d\n", *`shop::owned`._M_t._M_t._M_head_impl);

    // Classes: the first base's fields, those of the second base, its own; virtual functions by the table that the object points to.
    `shop::Discounted` *second = `shop::second`;
    printf("%d ", second->id_);
    print_text(&second->name_);
    printf(" %e tag %d, %d percent off\n", second->kind_, second->tag, second->percent_);
    printf("%s and %s\n", _sym(**(long **)`shop::first`), _sym(**(long **)second));
    printf("kinds %d %d %d\n", `shop::Kind::Book`, `Kind::Game`, Toy);
    printf("ring %ld %ld %ld %ld, head %d of %d bytes\n", `shop::ring`.items[0], `shop::ring`.items[1], `shop::ring`.items[2],
           `shop::ring`.items[3], `shop::ring`.head, sizeof(`shop::Ring<long, 4>`));
    printf("%d %d\n", `shop::plain`, `shop::reference`);
}
