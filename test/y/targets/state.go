// A Go program with known state, for looking into. It prints `ready`, does one round of calls for each line that it
// reads, and ends with its input.
//
// go build -o state-go state.go
package main

import (
	"bufio"
	"fmt"
	"os"
)

type Point struct{ X, Y int64 }

type Account struct {
	Name    string
	Balance int64
	At      Point
	Next    *Account
}

var Accounts *Account
var Total int64 = 42

//go:noinline
func Deposit(a *Account, amount int64) int64 {
	a.Balance += amount
	return a.Balance
}

//go:noinline
func Finished() {}

func main() {
	for i := int64(3); i > 0; i-- {
		Accounts = &Account{Name: fmt.Sprintf("account %d", i), Balance: i * 1000, At: Point{i, -i}, Next: Accounts}
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		sum := int64(0)
		for a := Accounts; a != nil; a = a.Next {
			sum += Deposit(a, 0)
		}
		Finished()
		fmt.Println("done", sum+Total)
	}
}
