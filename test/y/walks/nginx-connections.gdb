# What nginx-connections.y prints, by gdb's own reading of the types.
set pagination off
echo -- script --\n
set $cycle = *(ngx_cycle_t **)&ngx_cycle
set $sockets = (ngx_listening_t *)$cycle->listening.elts
set $i = 0
while $i < $cycle->listening.nelts
  set $l = &$sockets[$i]
  printf "listening "
  set $k = 0
  while $k < $l->addr_text.len
    printf "%c", $l->addr_text.data[$k]
    set $k = $k + 1
  end
  printf " fd %d, open %u, bound %u, backlog %d, pool %lu\n", $l->fd, $l->open, $l->bound, $l->backlog, $l->pool_size
  set $i = $i + 1
end
set $clients = 0
set $idle = 0
set $requests = 0
set $i = 0
while $i < $cycle->connection_n
  set $c = &$cycle->connections[$i]
  if $c->fd != -1
    if $c->read->accept
      printf "%lu: fd %d accepts for %d\n", $i, $c->fd, $c->listening->fd
    else
      if $c->read->channel
        printf "%lu: fd %d to the master\n", $i, $c->fd
      else
        if $c->listening == 0
          printf "%lu: fd %d another\n", $i, $c->fd
        else
          printf "%lu: fd %d of ", $i, $c->fd
          set $k = 0
          while $k < $c->addr_text.len
            printf "%c", $c->addr_text.data[$k]
            set $k = $k + 1
          end
          printf " number %lu, %lu requests, %ld bytes", $c->number, $c->requests, $c->sent
          if $c->idle
            printf ", idle"
          end
          if $c->reusable
            printf ", reusable"
          end
          printf "\n"
          set $clients = $clients + 1
          set $idle = $idle + $c->idle
          set $requests = $requests + $c->requests
        end
      end
    end
  end
  set $i = $i + 1
end
set $free = 0
set $c = $cycle->free_connections
while $c != 0
  set $free = $free + 1
  set $c = (ngx_connection_t *)$c->data
end
printf "%ld clients, %ld of them idle, %ld requests\n", $clients, $idle, $requests
printf "%ld free of %lu, counted %lu, reusable %lu\n", $free, $cycle->connection_n, $cycle->free_connection_n, $cycle->reusable_connections_n
