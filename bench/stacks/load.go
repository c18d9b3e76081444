// Goroutines, maps, JSON, sorting, formatting, and what the collector does with all of it.
package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

type order struct {
	ID    int
	Name  string
	Items map[string]int
}

type shape interface{ area(depth int) float64 }
type square struct{ side float64 }

func (s square) area(depth int) float64 {
	if depth == 0 {
		return s.side * s.side
	}
	return shape(square{s.side / 2}).area(depth-1) * 4
}

func work(seed int) int {
	orders := make([]order, 0, 64)
	for i := 0; i < 64; i++ {
		items := map[string]int{}
		for j := 0; j < 8; j++ {
			items[fmt.Sprintf("item-%d", (seed*31+i*7+j)%97)] = j
		}
		orders = append(orders, order{ID: (seed + i*37) % 101, Name: strings.Repeat("x", i%17), Items: items})
	}
	sort.Slice(orders, func(a, b int) bool { return orders[a].ID < orders[b].ID })
	text, _ := json.Marshal(orders)
	var back []order
	if err := json.Unmarshal(text, &back); err != nil {
		panic(err)
	}
	return len(back) + int(square{float64(seed)}.area(10))
}

func main() {
	fmt.Println("ready")
	results := make(chan int)
	for i := 0; i < 4; i++ {
		go func(seed int) {
			for {
				seed++
				results <- work(seed)
			}
		}(i)
	}
	sum := 0
	for value := range results {
		sum += value
	}
	fmt.Println(sum)
}
