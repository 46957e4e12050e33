/*
 * portsim.c - kernel module of the test machine: gives any network device a link
 * speed, the EEPROM of an optical module, statistics of a MAC, and a switch chip that
 * takes sampling filters, which netdevsim and veth lack.
 *
 *     echo "swp1 100000" >/sys/kernel/debug/portsim/add      Mb/s; again: a new speed
 *     cat module.bin >/sys/kernel/debug/portsim/swp1         the EEPROM's bytes
 *     echo swp1 >/sys/kernel/debug/portsim/offload           takes matchall with
 * sample, and does nothing with it
 *
 *     echo "swp1 mac 4 17" >/sys/kernel/debug/portsim/set    one value, in a line:
 *         mac N          member N of struct ethtool_eth_mac_stats, from 0
 *         phy 0          symbol errors
 *         sent N         PFC frames of priority N; received N likewise
 *         delay 0        ms that every read of the EEPROM takes; killable
 *         stuck 0        not 0: the module shows page 0 whatever page is asked for
 *
 * SFP: 256 bytes of I2C address 0x50, then 256 of 0x51; QSFP and CMIS: the lower 128,
 * then 128 for each page of bank 0 up to 1Fh, then pages 10h to 1Fh of banks 1 to 3.
 * "add", which comes first, "set" and "offload" look in the network namespace of their
 * writer. All other operations stay the device's own.
 */
#include <linux/dcbnl.h>
#include <linux/debugfs.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/dcbnl.h>
#include <net/net_namespace.h>
#include <net/pkt_cls.h>

#define PAGE_LEN    128
#define BANK_PAGES  16 /* pages of each bank, from 10h on */
#define BANKS       4
#define EEPROM_MAX  (PAGE_LEN * (1 + BANK_PAGES * (1 + BANKS)))
#define MAC_STATS   22
#define SFP_LEN     256
#define ADDRESS_SFP 0x51 /* the second I2C address of an SFP */

struct port {
	struct list_head list;               /* in ports */
	struct net_device *dev;              /* borrowed until it is unregistered */
	const struct ethtool_ops *saved_ops; /* what the device came with */
	struct ethtool_ops ops;              /* the same, with ours in it */
	const struct net_device_ops *saved_netdev_ops; /* NULL: no chip is simulated */
	struct net_device_ops netdev_ops;
	const struct dcbnl_rtnl_ops *saved_dcb; /* likewise */
	u32 speed_mbps;
	u32 delay_ms;
	bool stuck;
	u64 mac[MAC_STATS]; /* all ones: not counted */
	u64 symbol_errors;  /* likewise */
	struct ieee_pfc pfc;
	u32 len; /* bytes in eeprom; 0: no module plugged in */
	u8 eeprom[EEPROM_MAX];
	struct dentry *file;
};

static LIST_HEAD(ports);  /* changed under the rtnl lock only */
static LIST_HEAD(blocks); /* of filters that are offered to us; likewise */
static struct dentry *directory;

static struct port *
port_of(struct net_device *dev)
{
	return container_of(dev->ethtool_ops, struct port, ops);
}

static struct port *
port_find(const struct net_device *dev)
{
	struct port *port;

	list_for_each_entry(port, &ports, list)
	{
		if (port->dev == dev)
			return port;
	}
	return NULL;
}

static int
get_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *ret)
{
	ethtool_link_ksettings_zero_link_mode(ret, supported);
	ethtool_link_ksettings_zero_link_mode(ret, advertising);
	ethtool_link_ksettings_add_link_mode(ret, supported, FIBRE);
	ret->base.speed = port_of(dev)->speed_mbps;
	ret->base.duplex = DUPLEX_FULL;
	ret->base.port = PORT_FIBRE;
	ret->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

/* The old interface, which knows no CMIS. */
static int
get_module_info(struct net_device *dev, struct ethtool_modinfo *ret)
{
	const struct port *port = port_of(dev);

	if (port->len == 0)
		return -EOPNOTSUPP;
	switch (port->eeprom[0]) {
	case 0x03: /* SFP */
		ret->type = ETH_MODULE_SFF_8472;
		ret->eeprom_len = ETH_MODULE_SFF_8472_LEN;
		return 0;
	case 0x0c: /* QSFP */
	case 0x0d: /* QSFP+ */
	case 0x11: /* QSFP28 */
		ret->type = ETH_MODULE_SFF_8636;
		ret->eeprom_len = ETH_MODULE_SFF_8636_MAX_LEN;
		return 0;
	}
	return -EINVAL;
}

static void
copy_eeprom(const struct port *port, u32 at, u32 len, u8 *ret)
{
	u32 i;

	for (i = 0; i < len; i++)
		ret[i] = at + i < port->len ? port->eeprom[at + i] : 0;
}

/* Where a page begins. */
static u32
page_at(const struct port *port, const struct ethtool_module_eeprom *request)
{
	if (port->stuck)
		return 0;
	return PAGE_LEN * (request->page + BANK_PAGES * request->bank);
}

static int
get_module_eeprom(struct net_device *dev, struct ethtool_eeprom *request, u8 *ret)
{
	copy_eeprom(port_of(dev), request->offset, request->len, ret);
	return 0;
}

static int
get_module_eeprom_by_page(struct net_device *dev,
	const struct ethtool_module_eeprom *request, struct netlink_ext_ack *extack)
{
	const struct port *port = port_of(dev);
	u32 at = request->offset;

	if (port->delay_ms &&
		schedule_timeout_killable(msecs_to_jiffies(port->delay_ms)))
		return -EINTR;
	if (port->len == 0)
		return -EOPNOTSUPP;
	if (request->i2c_address == ADDRESS_SFP)
		at += SFP_LEN;
	else if (request->offset >= PAGE_LEN)
		at += page_at(port, request);
	if (at >= port->len)
		return -EINVAL;
	copy_eeprom(port, at, request->length, request->data);
	return request->length;
}

/* Members that are not counted stay as the kernel has set them. */
static void
get_eth_mac_stats(struct net_device *dev, struct ethtool_eth_mac_stats *ret)
{
	const struct port *port = port_of(dev);
	u64 *first = &ret->FramesTransmittedOK;
	u32 i;

	for (i = 0; i < MAC_STATS; i++) {
		if (port->mac[i] != U64_MAX)
			first[i] = port->mac[i];
	}
}

static void
get_eth_phy_stats(struct net_device *dev, struct ethtool_eth_phy_stats *ret)
{
	const struct port *port = port_of(dev);

	if (port->symbol_errors != U64_MAX)
		ret->SymbolErrorDuringCarrier = port->symbol_errors;
}

static int
get_pfc(struct net_device *dev, struct ieee_pfc *ret)
{
	*ret = port_of(dev)->pfc;
	return 0;
}

static const struct dcbnl_rtnl_ops dcb_ops = { .ieee_getpfc = get_pfc };

static ssize_t
eeprom_read(struct file *file, char __user *to, size_t len, loff_t *at)
{
	const struct port *port = file->private_data;

	return simple_read_from_buffer(to, len, at, port->eeprom, port->len);
}

static ssize_t
eeprom_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	struct port *port = file->private_data;
	ssize_t written =
		simple_write_to_buffer(port->eeprom, EEPROM_MAX, at, from, len);

	if (written > 0)
		port->len = max_t(u32, port->len, *at);
	return written || !len ? written : -ENOSPC;
}

static int
eeprom_open(struct inode *inode, struct file *file)
{
	struct port *port = inode->i_private;

	file->private_data = port;
	if (file->f_flags & O_TRUNC)
		port->len = 0;
	return 0;
}

static const struct file_operations eeprom_file = {
	.owner = THIS_MODULE,
	.open = eeprom_open,
	.read = eeprom_read,
	.write = eeprom_write,
	.llseek = default_llseek,
};

/* What a switch chip can do, and no more. */
static int
on_filter(enum tc_setup_type type, void *data, void *user_data)
{
	const struct tc_cls_matchall_offload *request = data;

	if (type != TC_SETUP_CLSMATCHALL)
		return -EOPNOTSUPP;
	if (request->command != TC_CLSMATCHALL_REPLACE)
		return 0;
	if (!flow_offload_has_one_action(&request->rule->action) ||
		request->rule->action.entries[0].id != FLOW_ACTION_SAMPLE)
		return -EOPNOTSUPP;
	return 0;
}

/* The kernel tells the blocks of a device apart by their callbacks. */
static int
on_egress_filter(enum tc_setup_type type, void *data, void *user_data)
{
	return on_filter(type, data, user_data);
}

static int
setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	const struct flow_block_offload *block = data;
	bool egress;

	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	egress = block->binder_type == FLOW_BLOCK_BINDER_TYPE_CLSACT_EGRESS;
	return flow_block_cb_setup_simple(
		data, &blocks, egress ? on_egress_filter : on_filter, dev, dev, false);
}

static void
port_offload(struct port *port)
{
	struct net_device *dev = port->dev;

	if (port->saved_netdev_ops)
		return;
	port->saved_netdev_ops = dev->netdev_ops;
	port->netdev_ops = *dev->netdev_ops;
	port->netdev_ops.ndo_setup_tc = setup_tc;
	dev->netdev_ops = &port->netdev_ops;
	dev->hw_features |= NETIF_F_HW_TC;
	dev->features |= NETIF_F_HW_TC;
}

static void
port_remove(struct port *port)
{
	port->dev->ethtool_ops = port->saved_ops;
	if (port->saved_netdev_ops)
		port->dev->netdev_ops = port->saved_netdev_ops;
	port->dev->dcbnl_ops = port->saved_dcb;
	list_del(&port->list);
	debugfs_remove(port->file);
	kfree(port);
}

static int
port_add(struct net_device *dev, u32 speed_mbps)
{
	struct port *port = port_find(dev);

	if (port) {
		port->speed_mbps = speed_mbps;
		return 0;
	}
	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return -ENOMEM;
	port->dev = dev;
	port->speed_mbps = speed_mbps;
	port->saved_ops = dev->ethtool_ops;
	port->saved_dcb = dev->dcbnl_ops;
	port->symbol_errors = U64_MAX;
	memset(port->mac, 0xff, sizeof(port->mac));
	port->ops = *dev->ethtool_ops;
	port->ops.get_link_ksettings = get_link_ksettings;
	port->ops.get_module_info = get_module_info;
	port->ops.get_module_eeprom = get_module_eeprom;
	port->ops.get_module_eeprom_by_page = get_module_eeprom_by_page;
	port->ops.get_eth_mac_stats = get_eth_mac_stats;
	port->ops.get_eth_phy_stats = get_eth_phy_stats;
	port->file =
		debugfs_create_file(dev->name, 0600, directory, port, &eeprom_file);
	list_add(&port->list, &ports);
	dev->ethtool_ops = &port->ops;
	return 0;
}

static ssize_t
add_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	char line[64], name[IFNAMSIZ];
	struct net_device *dev;
	u32 speed_mbps;
	int status;

	if (len >= sizeof(line) || copy_from_user(line, from, len))
		return -EINVAL;
	line[len] = '\0';
	if (sscanf(line, "%15s %u", name, &speed_mbps) != 2)
		return -EINVAL;
	rtnl_lock();
	dev = __dev_get_by_name(current->nsproxy->net_ns, name);
	status = dev ? port_add(dev, speed_mbps) : -ENODEV;
	rtnl_unlock();
	return status < 0 ? status : len;
}

static const struct file_operations add_file = {
	.owner = THIS_MODULE,
	.write = add_write,
};

static ssize_t
offload_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	struct port *port = NULL;
	struct net_device *dev;
	char name[IFNAMSIZ];

	if (len >= sizeof(name) || copy_from_user(name, from, len))
		return -EINVAL;
	name[len] = '\0';
	rtnl_lock();
	dev = __dev_get_by_name(current->nsproxy->net_ns, strim(name));
	if (dev)
		port = port_find(dev);
	if (port)
		port_offload(port);
	rtnl_unlock();
	return port ? len : -ENODEV;
}

static const struct file_operations offload_file = {
	.owner = THIS_MODULE,
	.write = offload_write,
};

static int
port_set(struct port *port, const char *what, u32 i, u64 value)
{
	if (!strcmp(what, "mac") && i < MAC_STATS)
		port->mac[i] = value;
	else if (!strcmp(what, "phy") && i == 0)
		port->symbol_errors = value;
	else if (!strcmp(what, "sent") && i < IEEE_8021QAZ_MAX_TCS)
		port->pfc.requests[i] = value;
	else if (!strcmp(what, "received") && i < IEEE_8021QAZ_MAX_TCS)
		port->pfc.indications[i] = value;
	else if (!strcmp(what, "delay"))
		port->delay_ms = value;
	else if (!strcmp(what, "stuck"))
		port->stuck = value != 0;
	else
		return -EINVAL;
	if (!strcmp(what, "sent") || !strcmp(what, "received"))
		port->dev->dcbnl_ops = &dcb_ops;
	return 0;
}

static ssize_t
set_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	char line[64], name[IFNAMSIZ], what[16];
	struct net_device *dev;
	struct port *port;
	u64 value;
	int status;
	u32 i;

	if (len >= sizeof(line) || copy_from_user(line, from, len))
		return -EINVAL;
	line[len] = '\0';
	if (sscanf(line, "%15s %15s %u %llu", name, what, &i, &value) != 4)
		return -EINVAL;
	rtnl_lock();
	dev = __dev_get_by_name(current->nsproxy->net_ns, name);
	port = dev ? port_find(dev) : NULL;
	status = port ? port_set(port, what, i, value) : -ENODEV;
	rtnl_unlock();
	return status < 0 ? status : len;
}

static const struct file_operations set_file = {
	.owner = THIS_MODULE,
	.write = set_write,
};

static int
on_netdevice(struct notifier_block *block, unsigned long event, void *info)
{
	struct port *port = port_find(netdev_notifier_info_to_dev(info));

	if (port && event == NETDEV_UNREGISTER)
		port_remove(port);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = on_netdevice };

static int __init
portsim_init(void)
{
	directory = debugfs_create_dir("portsim", NULL);
	debugfs_create_file("add", 0200, directory, NULL, &add_file);
	debugfs_create_file("offload", 0200, directory, NULL, &offload_file);
	debugfs_create_file("set", 0200, directory, NULL, &set_file);
	return register_netdevice_notifier(&notifier);
}

static void __exit
portsim_exit(void)
{
	struct port *port, *next;

	/* This sends an UNREGISTER event for every device, so the list is empty. */
	unregister_netdevice_notifier(&notifier);
	rtnl_lock();
	list_for_each_entry_safe(port, next, &ports, list) port_remove(port);
	rtnl_unlock();
	debugfs_remove(directory);
}

module_init(portsim_init);
module_exit(portsim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("speed, module EEPROM and statistics for any network device");
