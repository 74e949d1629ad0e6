package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/internal/notify/webhook"
)

// receiver is all that a receiver needs: the key that it shares with K8Guard, and the ids that it
// has seen within the time that it tolerates. See docs/operators/chat.md.
type receiver struct {
	key  []byte
	seen map[string]bool
	now  func() time.Time
}

const tolerance = 5 * time.Minute

// verify says whether a request is K8Guard's, of now, and not seen before.
func (r *receiver) verify(h http.Header, body []byte) error {
	id, at, signature := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), h.Get("Webhook-Signature")
	mac := hmac.New(sha256.New, r.key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(signature)) { // takes the same time wherever they differ
		return errors.New("the signature is wrong")
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if age := r.now().Sub(time.Unix(seconds, 0)); err != nil || age > tolerance || age < -tolerance {
		return errors.New("the timestamp is not of now")
	}
	if r.seen[id] {
		return errors.New("seen before")
	}
	r.seen[id] = true
	return nil
}

// A receiver that verifies what it gets, and refuses what is replayed, late or forged.
func Example() {
	const key = "a-key-of-32-bytes-for-an-example"
	r := &receiver{key: []byte(key), seen: map[string]bool{}, now: time.Now}
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		header, body = q.Header, nil
		body, _ = io.ReadAll(io.LimitReader(q.Body, 1<<20))
		fmt.Println("first:", r.verify(header, body))
		var event struct {
			Type string
			Data webhook.Notice
		}
		fmt.Println(json.Unmarshal(body, &event), event.Type, event.Data.Cases[0].Rule, event.Data.Cases[0].Purpose)
	}))
	defer server.Close()
	c, err := webhook.New(config.Webhook{Name: "audit", URL: config.NewSecret(server.URL), Key: config.NewSecret(key)}, time.Now)
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Send(context.Background(), notifytest.Sample("notice/webhook/audit/shop@example.com/1", []string{"shop@example.com"}))

	fmt.Println("replayed:", r.verify(header, body))
	r.seen, r.now = map[string]bool{}, func() time.Time { return time.Now().Add(time.Hour) }
	fmt.Println("an hour later:", r.verify(header, body))
	fmt.Println("changed:", r.verify(header, append(body, '\n')))
	// Output:
	// first: <nil>
	// <nil> io.k8guard.notice.v1 IMAGE_REPO warning
	// replayed: seen before
	// an hour later: the timestamp is not of now
	// changed: the signature is wrong
}
