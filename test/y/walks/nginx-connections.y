// Every connection of an nginx worker: listening sockets, clients, and the channel to the master.
#include "nginx-1.22.y"

extern ngx_cycle_t *ngx_cycle;

long clients, idle, free_ones, requests;

_probe _oneshot {
    ngx_cycle_t *cycle = ngx_cycle;
    ngx_listening_t *sockets = (ngx_listening_t *)cycle->listening.elts;
    for (unsigned long i = 0; i < cycle->listening.nelts; i++) {
        ngx_listening_t *l = &sockets[i];
        printf("listening %s fd %d, open %u, bound %u, backlog %d, pool %lu\n", _ustr(l->addr_text.data, l->addr_text.len), l->fd, l->open, l->bound,
               l->backlog, l->pool_size);
    }
    for (unsigned long i = 0; i < cycle->connection_n; i++) {
        ngx_connection_t *c = &cycle->connections[i];
        if (c->fd == -1) continue;
        if (c->read->accept) printf("%lu: fd %d accepts for %d\n", i, c->fd, c->listening->fd);
        else if (c->read->channel) printf("%lu: fd %d to the master\n", i, c->fd);
        else if (!c->listening) printf("%lu: fd %d another\n", i, c->fd);
        else {
            printf("%lu: fd %d of %s number %lu, %lu requests, %ld bytes%s%s\n", i, c->fd, _ustr(c->addr_text.data, c->addr_text.len), c->number,
                   c->requests, c->sent, c->idle ? ", idle" : "", c->reusable ? ", reusable" : "");
            clients++;
            idle += c->idle;
            requests += c->requests;
        }
    }
    for (ngx_connection_t *c = cycle->free_connections; c; c = (ngx_connection_t *)c->data) free_ones++;
    printf("%ld clients, %ld of them idle, %ld requests\n", clients, idle, requests);
    printf("%ld free of %lu, counted %lu, reusable %lu\n", free_ones, cycle->connection_n, cycle->free_connection_n, cycle->reusable_connections_n);
}
