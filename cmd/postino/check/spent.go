package check

import "fmt"

// spent is what a step costs, as far as it is seen from outside. What it uses of
// functions, queues and tables is on the bill of AWS.
type spent struct{ requests, events, callbacks int }

func (s spent) String() string {
	return fmt.Sprintf("%s, %s, %s", several(s.requests, "request"), several(s.events, "event"), several(s.callbacks, "callback"))
}

func several(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func (s spent) since(before spent) spent {
	return spent{s.requests - before.requests, s.events - before.events, s.callbacks - before.callbacks}
}

// spent is what was until now.
func (c *Check) spent() spent {
	s := c.api.spent
	callbacks, requests := c.receiver.count()
	s.callbacks, s.requests = callbacks, s.requests+requests
	return s
}
