/* nginx's own types for gdb, from the headers that Debian's nginx-dev has. gcc -g -c */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

ngx_cycle_t *a_cycle;
ngx_listening_t *a_listening;
ngx_connection_t *a_connection;
