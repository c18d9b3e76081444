# Lines of redis-keys.y, by gdb's own reading: the tables of all databases, and the keys of those that are small.
set pagination off
echo -- script --\n
set $servers = (struct redisServer *)&server
set $i = 0
while $i < 16
  set $db = &$servers->db[$i]
  set $d = $db->dict
  if $d->ht_used[0] + $d->ht_used[1] > 0
    printf "db%d: tables of 2^%d and 2^%d hold %lu + %lu, rehash %ld, %lu expire\n", $db->id, $d->ht_size_exp[0], $d->ht_size_exp[1], $d->ht_used[0], $d->ht_used[1], $d->rehashidx, $db->expires->ht_used[0] + $db->expires->ht_used[1]
  end
  if $d->ht_used[0] + $d->ht_used[1] > 0 && $d->ht_used[0] + $d->ht_used[1] < 2000
    set $found = 0
    set $chained = 0
    set $longest = 0
    set $table = 0
    while $table < 2
      if $d->ht_size_exp[$table] >= 0
        set $bucket = 0
        while $bucket < (1 << $d->ht_size_exp[$table])
          set $length = 0
          set $e = $d->ht_table[$table][$bucket]
          while $e != 0
            printf "db%d %s\n", $i, (char *)$e->key
            set $length = $length + 1
            set $e = $e->next
          end
          set $found = $found + $length
          if $length > 1
            set $chained = $chained + $length - 1
          end
          if $length > $longest
            set $longest = $length
          end
          set $bucket = $bucket + 1
        end
      end
      set $table = $table + 1
    end
    printf "db%d: %ld keys, %ld of them not first in their chain, the longest of %ld\n", $i, $found, $chained, $longest
  end
  set $i = $i + 1
end
