package localqueue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/queue"
)

func bodies(n int, delay time.Duration) []queue.Message {
	messages := make([]queue.Message, n)
	for i := range messages {
		messages[i] = queue.Message{Body: make([]byte, 700), Group: fmt.Sprint("group-", i%20), Delay: delay}
	}
	return messages
}

// BenchmarkSend sends in tens from 16 goroutines.
func BenchmarkSend(b *testing.B) {
	q := openQueue(b, openSet(b, b.TempDir(), localqueue.Config{}), "bench", localqueue.QueueConfig{})
	b.ResetTimer()
	sendTens(b, q, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func sendTens(b *testing.B, q *localqueue.Queue, n int) {
	var senders sync.WaitGroup
	tens := make(chan []queue.Message)
	for range 16 {
		senders.Go(func() {
			for ten := range tens {
				if err := q.Send(context.Background(), ten); err != nil {
					b.Error(err)
				}
			}
		})
	}
	ten := bodies(10, 0)
	for ; n > 0; n -= 10 {
		tens <- ten[:min(n, 10)]
	}
	close(tens)
	senders.Wait()
}

// BenchmarkConsume receives and deletes, beside 50,000 delayed messages, what
// was sent before.
func BenchmarkConsume(b *testing.B) {
	q := openQueue(b, openSet(b, b.TempDir(), localqueue.Config{}), "bench", localqueue.QueueConfig{})
	if err := q.Send(context.Background(), bodies(50_000, 10*time.Minute)); err != nil {
		b.Fatal(err)
	}
	sendTens(b, q, b.N)
	b.ResetTimer()
	consume(b, q, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func consume(b *testing.B, q *localqueue.Queue, n int) {
	var handled sync.WaitGroup
	handled.Add(n)
	err := q.Consume(context.Background(), localqueue.Options{}, func(_ context.Context, messages []queue.Message) []string {
		handled.Add(-len(messages))
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	handled.Wait()
	for left := -1; left != 50_000 && left != 0; {
		left, _ = q.Backlog(context.Background())
		time.Sleep(time.Millisecond)
	}
}

// BenchmarkPipe sends in ones from 64 goroutines to a waiting consumer.
func BenchmarkPipe(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprint("durable=", durable), func(b *testing.B) {
			q := openQueue(b, openSet(b, b.TempDir(), localqueue.Config{}), "bench", localqueue.QueueConfig{Durable: durable})
			b.ResetTimer()
			var senders sync.WaitGroup
			for w := range 64 {
				senders.Go(func() {
					for i := w; i < b.N; i += 64 {
						if err := q.Send(context.Background(), bodies(1, 0)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			consume(b, q, b.N)
			senders.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
