// Goroutines that race to one channel, the order of a map, and numbers drawn at random.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"time"
)

func main() {
	said := make(chan int)
	for i := 0; i < 8; i++ {
		go func(name int) {
			for turn := 0; turn < 20; turn++ {
				said <- name
			}
		}(i)
	}
	fmt.Print("said ")
	for i := 0; i < 160; i++ {
		fmt.Print(<-said)
	}
	names := map[int]bool{}
	for i := 0; i < 40; i++ {
		names[i] = true
	}
	fmt.Print(" map")
	for name := range names {
		fmt.Print(" ", name)
	}
	drawn := make([]byte, 8)
	rand.Read(drawn)
	fmt.Printf(" drawn %x at %p time %d\n", drawn, &drawn, time.Now().UnixNano())
	os.WriteFile(os.Getenv("out"), nil, 0o444)
}
