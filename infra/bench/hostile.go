package main

import (
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// harms are what hostile neighbours do with a connection, each one of them.
var harms = []func(net.Conn){
	says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", 0),
	says("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx", time.Millisecond),
	says("HTTP/1.1 200 OK\r\n", 20*time.Millisecond),
	flood("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
	flood("HTTP/1.1 204 No Content\r\n\r\n"),
}

// hostile does the harm of the neighbour whose number ends the path.
func hostile(w http.ResponseWriter, r *http.Request) (taken bool) {
	number, err := strconv.Atoi(path.Base(r.URL.Path))
	if err != nil {
		return false
	}
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	defer c.Close()
	harms[number%len(harms)](c)
	return false
}

// says begins to answer, and then drips, or is silent if there are no pauses.
func says(text string, pause time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, text)
		if pause == 0 {
			io.Copy(io.Discard, c)
		}
		for ; err == nil && pause > 0; time.Sleep(pause) {
			_, err = io.WriteString(c, "x")
		}
	}
}

// flood repeats a text until nobody takes it.
func flood(text string) func(net.Conn) {
	return func(c net.Conn) {
		for much := strings.Repeat(text, 100); ; {
			if _, err := io.WriteString(c, much); err != nil {
				return
			}
		}
	}
}
