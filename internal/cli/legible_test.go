package cli

import (
	"strings"
	"testing"
)

func TestAPreviewIsLegible(t *testing.T) {
	mail := strings.ReplaceAll(`From: k8guard@example.com
To: shop@example.com
Subject: =?UTF-8?q?[K8Guard]_prod:_1_warning_=E2=80=94_now?=
Content-Type: multipart/alternative; boundary="b"

--b
Content-Transfer-Encoding: quoted-printable
Content-Type: text/plain; charset=UTF-8

=3D=3D Warnings =3D=3D
a long line that goes =
on
--b
Content-Transfer-Encoding: quoted-printable
Content-Type: text/html; charset=UTF-8

<p>html</p>
--b--
`, "\n", "\r\n")
	got := strings.ReplaceAll(legible([]byte(mail)), "\r\n", "\n")
	want := "From     k8guard@example.com\nTo       shop@example.com\nSubject  [K8Guard] prod: 1 warning — now\n\n== Warnings ==\na long line that goes on"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for in, want := range map[string]string{
		`{"a":1}`:                          "{\n  \"a\": 1\n}",
		"":                                 "",
		"neither":                          "neither",
		"From: a@example.com\r\n\r\nplain": "From: a@example.com\r\n\r\nplain",
		"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nbroken": "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nbroken",
	} {
		if got := legible([]byte(in)); got != want {
			t.Errorf("%q: got %q", in, got)
		}
	}
}

func FuzzLegible(f *testing.F) {
	f.Add([]byte("From: a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--"))
	f.Fuzz(func(_ *testing.T, body []byte) { legible(body) })
}
