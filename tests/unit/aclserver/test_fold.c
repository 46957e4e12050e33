/*
 * test_fold.c - which rules fold, what their shapes and keys are, and what sets carry
 * of it. Rules come from the compiler, one line of policy each.
 */
#include "tests/unit/aclserver/compile_check.h"

#include "aclserver/fold.h"

/* Shape and key of the first rule of @line as text: "l3/l4 field&mask=value …", or
 * "chain" when it has to stay a rule. */
static const char *
folded(const char *section, const char *line)
{
	static char text[512];
	struct compiled c = compile(section, line, 0);
	struct fold_shape shape;
	struct fold_key key;
	size_t len, at = 0;

	assert_int_equal(c.result, 0);
	assert_true(c.file.n_rules > 0);
	if (!fold_rule(&c.file.rules[0], &shape, &key)) {
		compiled_done(&c);
		return "chain";
	}
	len = (size_t)snprintf(text, sizeof(text), "%04x/%d%s%s%s%s", shape.l3proto,
		shape.l4proto, shape.in_prefix[0] ? " in " : "", shape.in_prefix,
		shape.out_prefix[0] ? " out " : "", shape.out_prefix);
	for (size_t i = 0; i < shape.n_parts; i++) {
		const struct fold_part *part = &shape.parts[i];
		size_t size = fold_part_len(part->field);

		len += (size_t)snprintf(text + len, sizeof(text) - len, " %s",
			field_info(part->field)->name);
		for (size_t b = 0; !fold_part_is_whole(part) && b < size; b++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%s%02x", b ? "" : "&", part->mask[b]);
		for (size_t b = 0; b < size; b++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%s%02x", b ? "" : "=", key.bytes[at + b]);
		at += shape.n_parts == 1 ? size : (size + 3) / 4 * 4;
	}
	assert_int_equal(key.len, at);
	assert_int_equal(fold_key_len(&shape), at);
	compiled_done(&c);
	return text;
}

static void
one_value_or_prefix_per_field_folds(void **state)
{
	static const struct {
		const char *section, *line, *expected;
	} cases[] = {
		{ "iptables", "-A FORWARD -s 10.0.0.1 -j DROP",
			"0800/-1 ip saddr=0a000001" },
		{ "iptables", "-A FORWARD -d 10.1.0.0/16 -j DROP",
			"0800/-1 ip daddr&ffff0000=0a010000" },
		/* in the order of the fields, whatever that of the options */
		{ "iptables",
			"-A FORWARD -p tcp --dport 80 -d 10.0.0.2 -s 10.0.0.1 -j DROP",
			"0800/6 ip saddr=0a000001 ip daddr=0a000002 th dport=0050" },
		{ "iptables", "-A FORWARD -p udp --sport 1024:2047 -j DROP",
			"0800/17 th sport&fc00=0400" },
		{ "iptables", "-A FORWARD -i swp1 -s 10.0.0.1 -j DROP",
			"0800/-1 iifname=73777031000000000000000000000000 ip "
			"saddr=0a000001" },
		{ "iptables", "-A FORWARD -i swp+ -o bond+ -s 10.0.0.1 -j DROP",
			"0800/-1 in swp out bond ip saddr=0a000001" },
		{ "iptables", "-A FORWARD -i + -s 10.0.0.1 -j DROP",
			"0800/-1 ip saddr=0a000001" },
		{ "iptables", "-A FORWARD -p icmp --icmp-type 8/0 -j DROP",
			"0800/1 icmp type=08 icmp code=00" },
		{ "iptables", "-A FORWARD -p tcp --syn -s 10.0.0.1 -j DROP",
			"0800/6 ip saddr=0a000001 tcp flags&17=02" },
		{ "ip6tables", "-A FORWARD -s 2001:db8::/32 -j DROP",
			"86dd/-1 ip6 "
			"saddr&ffffffff000000000000000000000000="
			"20010db8000000000000000000000000" },
		{ "ebtables", "-A FORWARD -s 02:00:00:00:00:01 -j DROP",
			"0000/-1 ether saddr=020000000001" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			folded(cases[i].section, cases[i].line), cases[i].expected);
}

static void
what_a_set_cannot_say_stays_a_rule(void **state)
{
	static const char *const lines[] = {
		"-A FORWARD -j DROP",
		"-A FORWARD -p udp -j DROP",
		"-A FORWARD -i swp+ -j DROP",
		"-A FORWARD -s 10.0.0.1 -j ACCEPT",
		"-A FORWARD ! -s 10.0.0.1 -j DROP",
		"-A FORWARD ! -i swp1 -s 10.0.0.1 -j DROP",
		"-A FORWARD ! -p udp -s 10.0.0.1 -j DROP",
		"-A FORWARD -s 10.0.0.1 -p udp --dport 1:9 -j DROP",
		"-A FORWARD -s 10.0.0.1 -p udp -m multiport --dports 1,9 -j DROP",
		"-A FORWARD -s 10.0.0.1 -m dscp --dscp 10 -j DROP",
		"-A FORWARD -s 10.0.0.1 -m ttl --ttl-eq 1 -j DROP",
		"-A FORWARD -s 10.0.0.1 -m mark --mark 1 -j DROP",
		"-A FORWARD -s 10.0.0.1 -m state --state INVALID -j DROP",
		"-A FORWARD -s 10.0.0.1 -j LOG",
		"-A FORWARD -s 10.0.0.1 -m limit --limit 5/s -j DROP",
		/* six fields */
		("-A FORWARD -i a -o b -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 1 "
		 "--dport 2 -j DROP"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(folded("iptables", lines[i]), "chain");
	/* five fields that are more than 64 bytes */
	assert_string_equal(
		folded("ip6tables", "-A FORWARD -i a -o b -s 2001:db8::1 -d "
				    "2001:db8::2 -p udp --sport 1 -j DROP"),
		"chain");
}

static void
a_place_folds_when_all_its_rules_do(void **state)
{
	struct compiled c = compile("iptables",
		"-A FORWARD -s 10.0.0.1 -j DROP\n-A INPUT -s 10.0.0.1 -j DROP\n"
		"-A INPUT -s 10.0.0.2 -j ACCEPT",
		0);
	enum place forward = place_make(BASE_INET_FORWARD_FILTER, PLACE_GROUP_IP);
	enum place input = place_make(BASE_INET_INPUT_FILTER, PLACE_GROUP_IP);
	enum place output = place_make(BASE_INET_OUTPUT_FILTER, PLACE_GROUP_IP);

	(void)state;
	assert_int_equal(c.result, 0);
	assert_true(fold_place(&c.file, forward));
	assert_false(fold_place(&c.file, input));
	assert_false(fold_place(&c.file, output));
	compiled_done(&c);
}

static void
only_what_does_more_than_drop_divides(void **state)
{
	static const struct {
		const char *line;
		bool divides;
	} cases[] = {
		{ "-A OUTPUT -d 10.0.0.1 -j DROP", false },
		{ "-A OUTPUT -p udp -m multiport --dports 1,9 -j DROP", false },
		{ "-A OUTPUT ! -d 10.0.0.1 -j DROP", false },
		{ "-A OUTPUT -j DROP", false },
		{ "-A OUTPUT -d 10.0.0.1 -j ACCEPT", true },
		{ "-A OUTPUT -d 10.0.0.1 -j LOG", true },
		{ "-A OUTPUT -d 10.0.0.1 -m limit --limit 5/s -j DROP", true },
		{ "-A OUTPUT -d 10.0.0.1 -j DROP\n-A OUTPUT -d 10.0.0.2 -j ACCEPT",
			true },
	};
	enum place output = place_make(BASE_INET_OUTPUT_FILTER, PLACE_GROUP_IP);
	enum place input = place_make(BASE_INET_INPUT_FILTER, PLACE_GROUP_IP);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct compiled c = compile("iptables", cases[i].line, 0);

		assert_int_equal(c.result, 0);
		assert_int_equal(fold_divides(&c.file, output), cases[i].divides);
		assert_false(fold_divides(&c.file, input));
		compiled_done(&c);
	}
}

static struct fold_shape
shape_of(const char *line)
{
	struct compiled c = compile("iptables", line, 0);
	struct fold_shape shape;
	struct fold_key key;

	assert_int_equal(c.result, 0);
	assert_true(fold_rule(&c.file.rules[0], &shape, &key));
	compiled_done(&c);
	return shape;
}

static void
values_do_not_make_a_shape_but_prefix_lengths_do(void **state)
{
	struct fold_shape a = shape_of("-A FORWARD -s 10.0.0.0/24 -j DROP");
	struct fold_shape b = shape_of("-A FORWARD -s 10.9.9.0/24 -j DROP");
	struct fold_shape c = shape_of("-A FORWARD -s 10.9.9.0/25 -j DROP");
	struct fold_shape d = shape_of("-A FORWARD -d 10.9.9.0/24 -j DROP");
	struct fold_shape e = shape_of("-A INPUT -s 10.9.9.0/24 -j DROP");
	struct fold_shape f = shape_of("-A FORWARD -s 10.9.9.0/24 -p 17 -j DROP");

	(void)state;
	assert_true(fold_shape_hash(&a) == fold_shape_hash(&b));
	assert_true(fold_shape_hash(&a) != fold_shape_hash(&c));
	assert_true(fold_shape_hash(&a) != fold_shape_hash(&d));
	assert_true(fold_shape_hash(&a) != fold_shape_hash(&e));
	assert_true(fold_shape_hash(&a) != fold_shape_hash(&f));
}

static void
a_shape_is_read_back_from_user_data(void **state)
{
	struct fold_shape shape = shape_of(
		"-A FORWARD -i swp+ -s 10.0.0.0/8 -p tcp --dport 0:1023 -j DROP");
	struct fold_shape back;
	struct nft_udata udata;

	(void)state;
	fold_shape_encode(&shape, &udata);
	assert_true(fold_shape_decode(nft_udata_blob(&udata), shape.place, &back));
	assert_true(fold_shape_hash(&shape) == fold_shape_hash(&back));
	assert_int_equal(back.l3proto, 0x0800);
	assert_int_equal(back.l4proto, 6);
	assert_string_equal(back.in_prefix, "swp");
	assert_string_equal(back.out_prefix, "");
	assert_int_equal(back.n_parts, 2);
	assert_memory_equal(back.parts, shape.parts, sizeof(back.parts));
	/* Whatever is cut off, or of a field that no set has, is refused. */
	for (size_t len = 0; len < udata.len; len++)
		assert_false(fold_shape_decode(
			(struct nft_blob){ udata.bytes, len }, shape.place, &back));
	udata.bytes[6 + 2 + 4 + 5] = FIELD_CT_STATE;
	assert_false(fold_shape_decode(nft_udata_blob(&udata), shape.place, &back));
	udata.bytes[6 + 2 + 4 + 5] = 0xff;
	assert_false(fold_shape_decode(nft_udata_blob(&udata), shape.place, &back));
}

static void
a_name_says_place_run_and_shape(void **state)
{
	const struct fold_name name = {
		.place = place_make(BASE_BRIDGE_FORWARD_FILTER, PLACE_GROUP_EB),
		.run = 12,
		.shape = 0x0123456789abcdef,
	};
	char text[FOLD_SET_NAME_SIZE];
	struct fold_name back = { 0 };

	(void)state;
	fold_set_name(text, &name);
	assert_string_equal(text, "eb_filter_forward.12.0123456789abcdef");
	assert_true(fold_set_parse(NFPROTO_BRIDGE, text, &back));
	assert_int_equal(back.place, name.place);
	assert_int_equal(back.run, 12);
	assert_true(back.shape == name.shape);
}

static void
other_names_are_not_ours(void **state)
{
	static const char *const names[] = {
		"",
		"filter_forward",
		"filter_forward.1",
		"filter_forward.1.",
		"filter_forward..0123456789abcdef",
		"filter_forward.x.0123456789abcdef",
		"filter_forward.1073741825.0123456789abcdef",
		"filter_forward.1.0123456789abcde",
		"filter_forward.1.0123456789abcdef0",
		"filter_forward.1.0123456789ABCDEF",
		"filter_nowhere.1.0123456789abcdef",
		"eb_.1.0123456789abcdef",
		".1.0123456789abcdef",
	};
	struct fold_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(fold_set_parse(NFPROTO_INET, names[i], &name));
	assert_true(fold_set_parse(
		NFPROTO_INET, "filter_forward.1.0123456789abcdef", &name));
	/* inet has no base of that name */
	assert_false(fold_set_parse(
		NFPROTO_BRIDGE, "mangle_output.1.0123456789abcdef", &name));
}

/* Names from the map of ports are tested ahead of the key: the nft tool ends itself on
 * a key that has them beside other fields. */
static void
a_port_is_part_of_a_key_only_where_it_is_all(void **state)
{
	static const struct {
		const char *rule, *name;
		size_t n_parts;
	} cases[] = {
		{ "-A INPUT -i swp1 -s 10.0.0.1 -j DROP", "swp1", 1 },
		{ "-A INPUT -i swp+ -s 10.0.0.1 -d 10.0.0.2 -j DROP", "swp+", 2 },
		{ "-A INPUT -i swp1 -j DROP", "", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct compiled c = compile("iptables", cases[i].rule, 0);
		struct fold_shape shape, back;
		struct nft_udata udata;
		struct fold_key key;

		assert_int_equal(c.file.n_rules, 2);
		assert_true(fold_rule(&c.file.rules[1], &shape, &key));
		assert_string_equal(shape.port_name, cases[i].name);
		assert_int_equal(shape.n_parts, cases[i].n_parts);
		assert_int_equal(
			shape.parts[0].field == FIELD_PORT, cases[i].name[0] == '\0');
		fold_shape_encode(&shape, &udata);
		assert_true(
			fold_shape_decode(nft_udata_blob(&udata), shape.place, &back));
		assert_memory_equal(&back, &shape, sizeof(shape));
		compiled_done(&c);
	}
}

static void
a_beginning_of_a_port_alone_is_no_key(void **state)
{
	struct compiled c = compile("iptables", "-A INPUT -i swp+ -j DROP", 0);
	struct fold_shape shape;
	struct fold_key key;

	(void)state;
	assert_false(fold_rule(&c.file.rules[1], &shape, &key));
	compiled_done(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_or_prefix_per_field_folds),
		cmocka_unit_test(a_port_is_part_of_a_key_only_where_it_is_all),
		cmocka_unit_test(a_beginning_of_a_port_alone_is_no_key),
		cmocka_unit_test(what_a_set_cannot_say_stays_a_rule),
		cmocka_unit_test(a_place_folds_when_all_its_rules_do),
		cmocka_unit_test(only_what_does_more_than_drop_divides),
		cmocka_unit_test(values_do_not_make_a_shape_but_prefix_lengths_do),
		cmocka_unit_test(a_shape_is_read_back_from_user_data),
		cmocka_unit_test(a_name_says_place_run_and_shape),
		cmocka_unit_test(other_names_are_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
